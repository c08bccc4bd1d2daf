"""Numbers as a person reads them: three digits, powers of ten, memory, durations."""

import math

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def readable(number: float, digits: int = 3) -> str:
    """A number with so many digits, as text without markup: 0.0534, 217, 2.9×10⁻⁵."""
    if math.isnan(number):
        return "not a number"
    if math.isinf(number):
        return "∞" if number > 0 else "−∞"
    if number == 0:
        return "0"
    mantissa, _, exponent = f"{abs(number):.{digits - 1}e}".partition("e")
    sign = "−" if number < 0 else ""
    power = int(exponent)
    if -3 <= power < 5:
        places = max(digits - 1 - power, 0)
        text = f"{abs(number):.{places}f}"
        return sign + (text.rstrip("0").rstrip(".") if "." in text else text)
    mantissa = mantissa.rstrip("0").rstrip(".")
    factor = "" if mantissa == "1" else f"{mantissa}×"
    return f"{sign}{factor}10{str(power).translate(_RAISED)}"


def duration(seconds: float) -> str:
    """A duration: 0.4 s, 32 s, 5 min 20 s, 3 h 5 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    total = round(seconds)
    hours, minutes, rest = total // 3600, total % 3600 // 60, total % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def memory(num_bytes: float) -> str:
    """An amount of memory: 812 MB, 1.3 GB."""
    if num_bytes < 1e9:
        return f"{num_bytes / 1e6:.0f} MB"
    return f"{num_bytes / 1e9:.1f} GB"
