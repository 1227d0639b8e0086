"""Tests mirror shared/; world/ runs the flows on twins, contract/ holds twins and adapters to one suite."""
