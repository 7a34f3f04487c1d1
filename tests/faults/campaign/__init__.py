"""A campaign of faults against a whole shop under load: real processes, real engines, a plan drawn from a seed.

``shop`` runs what `manage.py up` runs and can hold single processes down; ``kinds`` are the faults, one function each;
``plan`` draws which come in which order; ``campaign`` carries them out; ``account`` says what was lost, counted
twice, or differs.
"""
