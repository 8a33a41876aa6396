"""What methods are judged by. Arrays in, in rad and m; values out in the same units, by column.

Frames without an answer are counted, never dropped in silence: `measured` has the rule.
"""
