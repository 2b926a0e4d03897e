"""What operators watch: Prometheus metrics, health and readiness, traces. (How well governance works is elsewhere.)"""
