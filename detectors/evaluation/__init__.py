"""How well scores and decisions did, given what was true: pure measures, used by reports and never while judging."""
