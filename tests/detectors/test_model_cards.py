"""Model cards say what the models are."""

from pathlib import Path

from detectors.judge import fresh_models
from detectors.model_cards import model_cards, render_card, render_page

PAGE = Path(__file__).parents[2] / "docs" / "models.md"


def test_the_page_is_up_to_date() -> None:
    """The page in the repository is the generated one (`shopwarden models cards > docs/models.md`)."""
    assert PAGE.read_text(encoding="utf-8") == render_page()


def test_every_model_that_outputs_name_has_a_card_of_its_version() -> None:
    """Also those of later stages."""
    models = fresh_models(1, challenger=True)
    names = {(card.name, card.version) for card in model_cards(models)}
    assert names >= {tuple(each.rsplit("-", 1)) for each in models.version.split("+")}
    assert names >= {(stage.name, stage.version) for stage in models.stages}
    assert len(names) == len(model_cards(models))


def test_inputs_stand_with_their_ranges() -> None:
    """Every input of every model, as the model itself has it."""
    models = fresh_models(1)
    for card in model_cards(models):
        text = render_card(card)
        for each in card.inputs:
            assert f"| `{each.name}` |" in text
            assert f"| {each.low:g} to {each.high:g} |" in text
    assert [len(card.inputs) for card in model_cards(models)[:2]] == [
        len(models.anomaly.inputs),
        len(models.bad_order.inputs),
    ]


def test_figures_come_from_the_report() -> None:
    """Those that are there, and a word where there is none."""
    report = {
        "anomaly": {"shuttle": {"auc_mean": 0.98765}},
        "olist": {"late_at_purchase": {"auc": None, "ece": 0.0214}},
    }
    texts = {card.name: render_card(card, report) for card in model_cards()}
    assert "AUC, shuttle, mean of the seeds | 0.988 |" in texts["behaviour-anomaly"]
    assert "mammography" not in texts["behaviour-anomaly"]
    assert "ECE, late delivery at purchase, last 20 % of Olist | 0.021 |" in texts["bad-order"]
    assert "AUC" not in texts["bad-order"]
    assert "has no figures of this model" in texts["listing-category"]


def test_every_card_says_what_a_card_must() -> None:
    """Purpose, misuse, data, labels, calibration, fairness, limits and figures."""
    for card in model_cards():
        text = render_card(card)
        for title in ("What for", "What not for", "Training data", "Labels and their delay", "Calibration", "Fairness"):
            assert f"**{title}.** " in text, card.name
        assert "**Limits.**\n\n- " in text
        assert "**Measured.**" in text
