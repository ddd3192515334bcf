"""washi_h.py: the functions of a built library for the scripts of this folder, by what lib/washi.h declares."""
import ctypes
import re
from pathlib import Path

import numpy as np

HEADER = Path(__file__).parent.parent / "lib" / "washi.h"
TYPES = [np.dtype("f4"), np.dtype("f8"), np.dtype("i4"), np.dtype("u1")]  # by washi_dtype
POINTER = ctypes.c_void_p


class Shape(ctypes.Structure):
    _fields_ = [("rank", ctypes.c_int), ("dim", ctypes.c_int64 * 8)]


SCALARS = {"int": ctypes.c_int, "int64_t": ctypes.c_int64, "double": ctypes.c_double, "bool": ctypes.c_bool,
           "washi_dtype": ctypes.c_int, "washi_status": ctypes.c_int, "washi_shape": Shape}


class Washi:
    """The functions of washi.h: washi.sum(x, 0, False). Lists become arrays; NULL and statuses, errors."""

    def __init__(self, folder):
        self.library = ctypes.CDLL(str(Path(folder) / "libwashi.so"))
        text = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.S)
        functions = re.findall(r"WASHI_API\s+([\w ]+?[ *]+)washi_(\w+)\(([^;]*?)\)[^;()]*;", text)
        self.declared = {name: (result.strip(), re.sub(r"\s+", " ", operands).split(", "))
                         for result, name, operands in functions}
        self.library.washi_message.restype = ctypes.c_char_p

    def __getattr__(self, name):
        result, operands = self.declared[name]
        function = self.library["washi_" + name]
        function.restype = None if result == "void" else SCALARS.get(result, POINTER)
        function.argtypes = [self.type_of(o) for o in operands]

        def call(*arguments):
            value = function(*[self.passed(a, o) for a, o in zip(arguments, operands)])
            if (value is None and result != "void") or (result == "washi_status" and value):
                raise RuntimeError(self.library.washi_message().decode())
            return value

        setattr(self, name, call)
        return call

    @staticmethod
    def type_of(operand):
        return POINTER if "*" in operand or "[" in operand else SCALARS[operand.replace("const ", "").split()[0]]

    @staticmethod
    def passed(argument, operand):
        if isinstance(argument, tuple):
            return Shape(len(argument), (ctypes.c_int64 * 8)(*argument))
        if isinstance(argument, str):
            return ctypes.cast(ctypes.c_char_p(argument.encode()), POINTER)
        if not isinstance(argument, list):
            return argument
        words = operand.replace("const ", "").split()
        element = POINTER if "*" in operand else SCALARS[words[0]]
        return ctypes.cast((element * max(1, len(argument)))(*argument), POINTER)

    def constant_of(self, tape, array):
        array = np.ascontiguousarray(array).reshape(np.shape(array))
        return self.constant(tape, TYPES.index(array.dtype), array.shape, array.ctypes.data)

    def value_of(self, tensor):
        shape = self.shape_of(tensor)
        shape = tuple(shape.dim[:shape.rank])
        size, dtype = int(np.prod(shape)), TYPES[self.dtype_of(tensor)]
        return np.frombuffer(ctypes.string_at(self.data(tensor), size * dtype.itemsize), dtype).reshape(shape)

    def vjp_of(self, y, v, x):
        gradients = (POINTER * len(x))()
        self.vjp(len(y), y, v, len(x), x, ctypes.cast(gradients, POINTER))
        return list(gradients)
