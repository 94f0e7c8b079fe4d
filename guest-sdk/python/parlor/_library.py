"""What of the standard library a plugin may use without a build of its own: `parlor dev` runs all plugins on one engine.

A build imports it as well: what the library imports by itself, in the middle of a call, is there then.
"""

# ruff: noqa: F401
import abc
import array
import ast
import asyncio
import base64
import bisect
import calendar
import collections.abc
import colorsys
import contextlib
import copy
import csv
import dataclasses
import datetime
import decimal
import difflib
import encodings.ascii
import encodings.idna
import encodings.latin_1
import encodings.utf_8
import encodings.utf_16
import enum
import fractions
import functools
import graphlib
import hashlib
import heapq
import hmac
import html
import inspect
import io
import itertools
import json
import linecache
import logging
import math
import numbers
import operator
import pprint
import queue
import random
import re
import secrets
import statistics
import string
import struct
import textwrap
import time
import traceback
import types
import typing
import unicodedata
import urllib.parse
import uuid
import warnings
import weakref
import zlib
import zoneinfo
