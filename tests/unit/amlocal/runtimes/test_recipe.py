"""Recipes add up."""

from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from amlocal.runtimes.recipe import Recipe

texts = st.sampled_from([(), ("a",), ("b", "c")])
pythons = st.none() | st.sampled_from(["==3.11.*", ">=3.9", "<3.13"]).map(SpecifierSet)
recipes = st.builds(Recipe, pythons, texts, texts, texts, texts, texts)


@given(recipes, recipes, recipes)
def test_the_sum_does_not_depend_on_grouping(one: Recipe, two: Recipe, three: Recipe) -> None:
    assert (one + two) + three == one + (two + three)


@given(recipes)
def test_the_empty_recipe_adds_nothing(recipe: Recipe) -> None:
    assert Recipe() + recipe == recipe == recipe + Recipe()


@given(recipes, recipes, st.sampled_from(["3.8.1", "3.11.2", "3.14.0"]))
def test_a_sum_accepts_the_pythons_that_both_accept(one: Recipe, two: Recipe, version: str) -> None:
    def accepts(recipe: Recipe) -> bool:
        return recipe.python is None or recipe.python.contains(version)

    assert accepts(one + two) is (accepts(one) and accepts(two))
