"""The demo: a simulated marketplace, a worker that judges it, and a page that shows how well it does.

- ``options``: what was asked for, and the settings that follow from it;
- ``sent``, ``player``: put the simulation into the topics at a steady rate, and remember when;
- ``tally``, ``observer``: read what the worker publishes, and count;
- ``store_view``, ``worker_process``: look at the worker's checkpoints, start and stop it;
- ``score``: precision and recall against the simulation's ground truth;
- ``view``, ``page``, ``summary``, ``attach``: what a person sees;
- ``stage``, ``run``: put it all together, and take it all down.
"""
