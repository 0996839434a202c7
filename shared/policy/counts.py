"""Whole numbers that count something: neither `true` nor `"3"` is one."""

from typing import Annotated

from pydantic import Field, Strict

Count = Annotated[int, Strict(), Field(ge=1, le=1000)]
Days = Annotated[int, Strict(), Field(ge=1, le=366)]
