"""Tests of planning as pure code: literals, and its two ports in memory."""
