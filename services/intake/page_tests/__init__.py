"""Tests of people's pages: who may ask for one, and that its person answered."""
