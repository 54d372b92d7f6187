"""Searches, folding, times of arrival."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from typing import Any, Literal, Unpack

import numpy as np
import numpy.typing as npt

from . import _eagleray
from ._arguments import Check, exact, number
from ._arguments import options as checked
from ._arguments import path as a_path
from ._errors import OptionError, of_system
from ._products import (
    PulseProfile,
    SearchResult,
)
from ._session import Backend, Session, session_of
from ._source import Interval, Path, Selection, observe
from ._words import delivered

#: Options of folds that are not what others of their name are.
_OF_FOLDS: dict[str, Check] = {"f": exact("Hz"), "epoch": exact(), "fdot": number(), "fddot": number()}


@checked()
def search(
    src: Any,
    *,
    freq: Interval | None = None,
    fdot: Interval | None = None,
    fddot: Interval | None = None,
    par: Path | None = None,
    method: Literal["z2", "ef", "h", "pdm"] = "z2",
    nharm: int = 2,
    nbin: int = 64,
    oversample: float | None = None,
    algorithm: Literal["auto", "fft", "fold", "ffa"] = "auto",
    candidates: int = 10,
    detection_level: float = 0.01,
    dt: float | None = None,
    min_fracexp: float | None = None,
    session: Session | None = None,
    backend: Backend | None = None,
    **selection: Unpack[Selection],
) -> SearchResult:
    """A search for a pulsation of unknown frequency.

    Parameters
    ----------
    freq : (lo, hi)
        Frequencies, Hz, at the middle of the good time; with `par`, 100/span to both sides of its frequency by default.
    fdot, fddot : (lo, hi), optional
        Ranges of the derivatives, Hz/s and Hz/s²; one value twice is known, and not refined.
    par : path, optional
        An ephemeris file: times become times of emission.
    method : {"z2", "ef", "h", "pdm"}
        Z² of `nharm` harmonics, epoch folding with `nbin` bins, the H test, or phase dispersion of light curves and of events in bins of
        `dt`.
    oversample : float, optional
        Trials to an independent frequency.
    algorithm : {"auto", "fft", "fold", "ffa"}
        All frequencies at once, a profile of each trial, or fast folding.
    candidates : int
        Candidates listed.
    detection_level : float
        Probability that noise reaches the detection level, trials included.
    src, session, backend, **selection
        See `pds`; `weights` names a column.
    """
    if freq is None and par is None:
        raise OptionError("freq: a range (lo, hi) of frequencies, Hz, is needed, or an ephemeris file (par)")
    options = {
        "freq": freq,
        "fdot": fdot,
        "fddot": fddot,
        "par": None if par is None else os.fspath(par),
        "method": method,
        "nharm": nharm,
        "nbin": nbin,
        "oversample": oversample,
        "algorithm": algorithm,
        "candidates": candidates,
        "detection_level": detection_level,
        "dt": dt,
        "min_fracexp": min_fracexp,
    }
    observation = observe(src, dict(selection), None)
    made: SearchResult = delivered(_eagleray.search(session_of(session, backend), observation, options))
    return made


@checked()
def accel(
    src: Any,
    *,
    freq: Interval,
    fdot: Interval,
    fddot: Interval = (0.0, 0.0),
    par: Path | None = None,
    nharm: int = 4,
    detrend: bool = False,
    candidates: int = 10,
    detection_level: float = 0.01,
    session: Session | None = None,
    backend: Backend | None = None,
    **selection: Unpack[Selection],
) -> SearchResult:
    """An acceleration search (Ransom et al. 2002, doi:10.1086/342285).

    Parameters
    ----------
    freq, fdot, fddot : (lo, hi)
        Frequencies, Hz, and their derivatives, Hz/s and Hz/s².
    nharm : {1, 2, 4, 8}
        Largest number of harmonics summed.
    detrend : bool
        Divide powers by the local noise level, for sources with red noise.
    src, par, candidates, detection_level, session, backend, **selection
        See `search`.
    """
    options = {
        "freq": freq,
        "fdot": fdot,
        "fddot": fddot,
        "par": None if par is None else os.fspath(par),
        "nharm": nharm,
        "detrend": detrend,
        "candidates": candidates,
        "detection_level": detection_level,
    }
    observation = observe(src, dict(selection), None)
    made: SearchResult = delivered(_eagleray.accel(session_of(session, backend), observation, options))
    return made


@checked(**_OF_FOLDS)
def fold(
    src: Any,
    *,
    f: float | np.longdouble | str | None = None,
    fdot: float = 0.0,
    fddot: float = 0.0,
    epoch: float | np.longdouble | str | None = None,
    epoch_in_seconds: bool = False,
    par: Path | None = None,
    nbin: int = 32,
    nharm: int = 2,
    background: float = 0.0,
    session: Session | None = None,
    backend: Backend | None = None,
    **selection: Unpack[Selection],
) -> PulseProfile:
    """The pulse profile at a known frequency, or by an ephemeris.

    Parameters
    ----------
    f : float, longdouble or str
        Frequency at the epoch, Hz; as text with all of its digits.
    fdot, fddot : float
        Its derivatives, Hz/s and Hz/s².
    epoch : float, longdouble or str, optional
        Where phases count from, MJD, or seconds of the frame; the whole second next to the middle of good time by default.
    par : path, optional
        An ephemeris file, instead of all these.
    nbin : int
        Number of phase bins.
    nharm : int
        Harmonics of Z² and of the pulsed fraction.
    background : float
        Background rate, counts/s, for the pulsed fractions.
    src, session, backend, **selection
        See `pds`; `weights` names a column.

    Returns
    -------
    PulseProfile
        ``phase``, ``counts``, ``rate`` (counts/s), ``rate_err``, ``exposure`` (s), one value a bin of phase.
    """
    options = _fold_options(f, fdot, fddot, epoch, epoch_in_seconds, par, nbin, nharm, background)
    observation = observe(src, dict(selection), None)
    made: PulseProfile = delivered(_eagleray.fold(session_of(session, backend), observation, options))
    return made


def _fold_options(
    f: float | np.longdouble | str | None,
    fdot: float,
    fddot: float,
    epoch: float | np.longdouble | str | None,
    epoch_in_seconds: bool,
    par: Path | None,
    nbin: int,
    nharm: int = 2,
    background: float = 0.0,
) -> dict[str, Any]:
    if f is None and par is None:
        raise OptionError("f: the frequency, Hz, or an ephemeris file (par) is needed")
    return {
        "f": f,
        "fdot": fdot,
        "fddot": fddot,
        "epoch": epoch,
        "epoch_in_seconds": epoch_in_seconds,
        "par": None if par is None else os.fspath(par),
        "nbin": nbin,
        "nharm": nharm,
        "background": background,
    }


@checked(**_OF_FOLDS)
def phaseogram(
    src: Any,
    *,
    rows: int = 64,
    f: float | np.longdouble | str | None = None,
    fdot: float = 0.0,
    fddot: float = 0.0,
    epoch: float | np.longdouble | str | None = None,
    epoch_in_seconds: bool = False,
    par: Path | None = None,
    nbin: int = 32,
    session: Session | None = None,
    backend: Backend | None = None,
    **selection: Unpack[Selection],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Rates by time and phase.

    Parameters
    ----------
    rows : int
        Intervals of time.
    src, f, fdot, fddot, epoch, epoch_in_seconds, par, nbin, session, backend, **selection
        See `fold`.

    Returns
    -------
    time : array of rows + 1
        Edges of the intervals, s from the epoch.
    rate : array of shape (rows, nbin)
        Rates, counts/s; nan where a bin has no exposure.
    """
    options = _fold_options(f, fdot, fddot, epoch, epoch_in_seconds, par, nbin)
    return _eagleray.phaseogram(session_of(session, backend), observe(src, dict(selection), None), options, rows)


class ArrivalTimes:
    """Times of arrival of pulses.

    Attributes
    ----------
    mjd : list of Decimal
        Times of arrival at the barycentre, with all digits.
    error : array
        Standard errors, s.
    shift, shift_err : array
        Residuals against the ephemeris, cycles, positive where the pulse is late, and their standard errors.
    nphots, exposure : array
        Events and good time (s) of each interval.
    left_out : int
        Intervals with events that gave no time of arrival.
    chi2 : float
        Of the residuals against their weighted mean.
    tim : str
        The times as a file of tempo2 (FORMAT 1).
    """

    def __init__(self, found: dict[str, Any], tim: str) -> None:
        rows = found["toas"]
        self.tim = tim
        self.mjd = [Decimal(line.split()[2]) for line in tim.splitlines() if len(line.split()) > 4]
        self.error = np.array([row["error"] for row in rows])
        self.shift = np.array([row["shift"] for row in rows])
        self.shift_err = np.array([row["shift_err"] for row in rows])
        self.nphots = np.array([row["nphots"] for row in rows], dtype=np.int64)
        self.exposure = np.array([row["exposure"] for row in rows])
        self.left_out: int = found["left_out"]
        self.chi2: float = found["chi2"]

    def __len__(self) -> int:
        return len(self.error)

    def to_table(self) -> Any:
        """An astropy ``Table`` with units: ``mjd`` in two columns whose sum has all digits, ``mjd_day`` and ``mjd_fraction``, and the others."""
        from astropy.table import Table

        days = [int(mjd) for mjd in self.mjd]
        columns = {"mjd_day": days, "mjd_fraction": [float(mjd - day) for mjd, day in zip(self.mjd, days, strict=True)]}
        names = ("error", "shift", "shift_err", "nphots", "exposure")
        table = Table(
            {**columns, **{name: getattr(self, name) for name in names}},
            meta={"chi2": self.chi2, "left_out": self.left_out},
        )
        for name, unit in {"mjd_day": "d", "mjd_fraction": "d", "error": "s", "exposure": "s"}.items():
            table[name].unit = unit
        return table

    def write(self, path: Path, *, overwrite: bool = False) -> None:
        """Writes the times as a file of tempo2 (``.tim``, FORMAT 1), which PINT reads, too.

        Raises
        ------
        FileError
            The file exists, or cannot be written.
        """
        name = a_path("path", path)
        try:
            with open(name, "w" if overwrite else "x", encoding="utf-8") as file:
                file.write(self.tim)
        except OSError as wrong:
            raise of_system(wrong, name) from wrong

    def __repr__(self) -> str:
        return f"<ArrivalTimes: {len(self)} times, {self.left_out} intervals left out, χ² {self.chi2:.2f}>"


@checked(**_OF_FOLDS)
def toas(
    src: Any,
    *,
    length: float,
    template: Path | None = None,
    f: float | np.longdouble | str | None = None,
    fdot: float = 0.0,
    fddot: float = 0.0,
    epoch: float | np.longdouble | str | None = None,
    epoch_in_seconds: bool = False,
    par: Path | None = None,
    nbin: int = 32,
    session: Session | None = None,
    backend: Backend | None = None,
    **selection: Unpack[Selection],
) -> ArrivalTimes:
    """Times of arrival of pulses, one an interval of good time.

    Parameters
    ----------
    length : float
        Length of an interval, s.
    template : path, optional
        A profile that was written, or ``"sinusoid"``; the profile of all events by default.
    src, f, fdot, fddot, epoch, epoch_in_seconds, par, nbin, session, backend, **selection
        See `fold`.
    """
    options = _fold_options(f, fdot, fddot, epoch, epoch_in_seconds, par, nbin)
    given = None if template is None else os.fspath(template)
    observation = observe(src, dict(selection), None)
    found, tim = _eagleray.toas(session_of(session, backend), observation, options, length, given)
    return ArrivalTimes(json.loads(found), tim)
