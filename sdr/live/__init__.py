"""Live reception: radios that come and go, what they hear merged, recorded and shown.

LiveRadio (one a radio: open, read, decode, lose, open again) ─▶ LiveSession ─▶ Merger ─▶ outputs
"""
