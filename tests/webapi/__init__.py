"""Tests of the Web API client over HTTP."""
