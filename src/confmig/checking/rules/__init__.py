"""What CMT would refuse, misread or lose, one rule a file: ``schema`` those about a schema, ``rows`` those about rows.

A new rule is a new file and one entry in ``registry``.
"""
