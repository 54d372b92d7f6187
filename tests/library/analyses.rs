//! Every analysis with every kind of observation: a product, or an error that says what it takes; and runs that are cancelled.

use std::ops::ControlFlow;

use crate::common::fits_file::{Column, Folder, events, file, gti};
use eagleray::analyses::*;
use eagleray::internal::random::Random;
use eagleray::pulsation::{AccelOptions, SearchStatistic};
use eagleray::science::EnergyKind;
use eagleray::science::energy::Band;
use eagleray::{Analysis, EnergyBands, Gti, LightCurve, Observation, ObservationKind, PhotonBand, Session};
use eagleray::{Error, Result};

/// Length of the observations, s.
const LENGTH: f64 = 64.0;
/// Channels of the two bands of events.
const BANDS: [PhotonBand; 2] = [PhotonBand::Channels(10.0, 49.0), PhotonBand::Channels(50.0, 99.0)];

/// Events in a file.
const EVENTS: u64 = 4000;

/// A file of events at random times, with channels from 10 to 99.
fn event_file(folder: &Folder, name: &str, seed: u64, intervals: &[(f64, f64)]) -> std::path::PathBuf {
    let mut random = Random::new(seed);
    let mut times: Vec<f64> = (0..EVENTS).map(|_| LENGTH * random.uniform()).collect();
    times.sort_by(f64::total_cmp);
    let channels: Vec<i16> = (0..times.len()).map(|_| 10 + random.below(90) as i16).collect();
    let bytes = file(&[events(vec![Column::f64("TIME", &times), Column::i16("PI", &channels)]), gti(intervals)]);
    let path = folder.0.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// An observation of each kind.
struct Observations {
    events: Observation,
    light_curve: Observation,
    event_pair: Observation,
    light_curve_pair: Observation,
}

impl Observations {
    fn new(folder: &Folder) -> Observations {
        let whole = [(0.0, 0.5 * LENGTH), (0.5 * LENGTH, LENGTH)];
        Observations::with(folder, &whole, |made| Observation::light_curves([made.clone()]))
    }

    /// Those of events in these intervals, and of what `of` makes of the light curve of each file.
    fn with(folder: &Folder, intervals: &[(f64, f64)], of: impl Fn(&LightCurve) -> Observation) -> Observations {
        let cpu = Session::cpu().unwrap();
        let [a, b] = [("a.evt", 1), ("b.evt", 2)]
            .map(|(name, seed)| Observation::open([event_file(folder, name, seed, intervals)]).unwrap());
        let curve = |events: &Observation| of(&cpu.run(&Binning::default().dt(1.0 / 32.0), events).unwrap());
        Observations {
            light_curve: curve(&a),
            light_curve_pair: Observation::pair(curve(&a), curve(&b)).unwrap(),
            event_pair: Observation::pair(a.clone(), b).unwrap(),
            events: a,
        }
    }

    fn of(&self, kind: ObservationKind) -> &Observation {
        match kind {
            ObservationKind::Events => &self.events,
            ObservationKind::LightCurve => &self.light_curve,
            ObservationKind::EventPair => &self.event_pair,
            ObservationKind::LightCurvePair => &self.light_curve_pair,
        }
    }
}

/// What is done with each analysis.
trait Visitor {
    /// `of` makes the analysis for a kind.
    fn visit<A: Analysis>(&mut self, of: impl Fn(ObservationKind) -> A);
}

/// All analyses: a new one is added here.
fn each_analysis(visitor: &mut impl Visitor) {
    let (dt, size) = (1.0 / 32.0, 8.0);
    let bands = |kind| if kind == ObservationKind::Events { Some(BANDS) } else { None };
    let power = || PowerSpectrum::default().dt(dt).segment_size(size);
    let cross = |kind| {
        let mut made = CrossSpectrum::default().dt(dt).segment_size(size);
        made.bands = bands(kind);
        made
    };
    visitor.visit(|_| power());
    visitor.visit(cross);
    visitor.visit(|kind| {
        let mut made = AmplitudeDifference::default().dt(dt).segment_size(size);
        made.bands = bands(kind);
        made
    });
    visitor.visit(|_| DynamicalSpectrum::default().spectrum(power()));
    visitor.visit(|kind| DynamicalCross::default().spectrum(cross(kind)));
    visitor.visit(|_| {
        let [lo, hi] = [Band { lo: 10.0, hi: 49.0 }, Band { lo: 50.0, hi: 99.0 }];
        let all = EnergyBands { reference: Band { lo: 10.0, hi: 99.0 }, subjects: vec![lo, hi], channels: true };
        EnergyDependence::new(EnergyKind::Lag, all).dt(dt).segment_size(size).freq([0.1, 2.0])
    });
    visitor.visit(|_| Multitaper::default().spectrum(power()));
    visitor.visit(|_| BispectrumOfPairs::default().dt(dt).segment_size(size).max_freq(4.0));
    visitor.visit(|_| BispectrumOfCumulants::default().dt(dt).segment_size(size));
    visitor.visit(|_| LombScargle::default().dt(dt));
    visitor.visit(|_| LombScargleCross::new(LombScargle::default().dt(dt)));
    visitor.visit(|_| Binning::default());
    visitor.visit(|_| Counting::new(vec![0.0, 10.0, 64.0]));
    visitor.visit(|kind| {
        let made = PulseSearch::new(0.5, 1.0);
        match kind {
            ObservationKind::LightCurve => made.method(SearchStatistic::Pdm),
            _ => made,
        }
    });
    visitor.visit(|_| {
        let (freq, fdot) = ((0.5, 1.0), (-1e-3, 1e-3));
        AccelerationSearch::default().search(AccelOptions { freq, fdot, ..AccelOptions::default() })
    });
    visitor.visit(|_| Fold::new(0.7));
    visitor.visit(|_| FoldInTime::new(Fold::new(0.7), 4));
    visitor.visit(|_| ArrivalTimes::new(Fold::new(0.7), 16.0));
}

/// A product for each kind that an analysis takes, and an error that names these for each other.
struct Walk<'a> {
    observations: &'a Observations,
    seen: usize,
}

impl Visitor for Walk<'_> {
    fn visit<A: Analysis>(&mut self, of: impl Fn(ObservationKind) -> A) {
        let cpu = Session::cpu().unwrap();
        for kind in ObservationKind::ALL {
            let (observation, analysis) = (self.observations.of(kind), of(kind));
            assert_eq!(observation.kind(), kind);
            let (plan, made) = (cpu.plan(&analysis, observation), cpu.run(&analysis, observation));
            let name = format!("{} of {}", A::NAME, kind.name());
            if A::KINDS.contains(&kind) {
                let plan = plan.unwrap_or_else(|e| panic!("{name}: {e}"));
                assert!(plan.exposure > 0.0 || A::NAME == "cross spectrum", "{name}");
                let product = made.unwrap_or_else(|e| panic!("{name}: {e}"));
                let record = A::record(&product);
                assert!(record.photons.is_exact(), "{name}: {}", record.photons);
                assert!(!record.inputs.is_empty() && !record.options.is_null(), "{name}: {record:?}");
            } else {
                for error in [plan.map(|_| ()), made.map(|_| ())] {
                    let Err(Error::Input { analysis, given, takes }) = error else { panic!("{name}: {error:?}") };
                    let all: Vec<&str> = A::KINDS.iter().map(|kind| kind.name()).collect();
                    assert_eq!((analysis, given, takes), (A::NAME, kind.name(), all));
                }
            }
            self.seen += 1;
        }
    }
}

#[test]
fn each_analysis_makes_its_product_of_each_kind_or_says_what_it_takes() {
    let folder = Folder::new();
    let observations = Observations::new(&folder);
    let mut walk = Walk { observations: &observations, seen: 0 };
    each_analysis(&mut walk);
    assert_eq!(walk.seen, eagleray::internal::engine::PRODUCTS.len() * ObservationKind::ALL.len());
}

/// The balance of every product: exact, of all photons that there are, and some of them used.
struct Balance<'a> {
    observations: &'a Observations,
    /// Photons of the light curves.
    curves: [u64; 2],
    what: &'a str,
    seen: usize,
}

impl Visitor for Balance<'_> {
    fn visit<A: Analysis>(&mut self, of: impl Fn(ObservationKind) -> A) {
        for &kind in A::KINDS {
            let name = format!("{} of {}, {}", A::NAME, kind.name(), self.what);
            let product = Session::cpu().unwrap().run(&of(kind), self.observations.of(kind));
            let product = product.unwrap_or_else(|e| panic!("{name}: {e}"));
            let record = A::record(&product);
            let read = match kind {
                ObservationKind::Events => EVENTS,
                ObservationKind::EventPair => 2 * EVENTS,
                ObservationKind::LightCurve => self.curves[0],
                ObservationKind::LightCurvePair => self.curves[0] + self.curves[1],
            };
            let photons = &record.photons;
            assert!(photons.is_exact() && photons.used > 0, "{name}: {photons}");
            assert_eq!(photons.read, read, "{name}: {photons}");
            self.seen += 1;
        }
    }
}

/// Text of a light curve as QDP has it: time, half width, rate of the whole bin, error.
fn qdp(curve: &LightCurve) -> String {
    let dt = curve.grid.dt;
    let row = |i: usize| {
        let (rate, error) = (curve.counts[i] / dt, curve.counts[i].sqrt().max(1.0) / dt);
        format!("{:?} {:?} {rate:?} {error:?}\n", curve.time[i], 0.5 * dt)
    };
    format!("READ SERR 1 2\n{}", (0..curve.len()).map(row).collect::<String>())
}

/// Every analysis of every kind of input, with intervals that begin and end inside bins, and photons outside of them.
#[test]
fn the_balance_is_exact_in_every_product_of_every_input() {
    // 27.3 s, 1 ms (less than a bin) and 35.69 s.
    let intervals = [(0.013, 27.313), (27.7105, 27.7115), (28.02, 63.71)];
    let folder = Folder::new();
    let counts = std::cell::RefCell::new(Vec::new());
    for what in ["in memory", "curve.fits", "curve.csv", "curve.ecsv", "curve.qdp"] {
        counts.borrow_mut().clear();
        let number = std::cell::Cell::new(0);
        let curve = |made: &LightCurve| {
            counts.borrow_mut().push(made.counts.iter().sum::<f64>() as u64);
            if what == "in memory" {
                return Observation::light_curves([made.clone()]);
            }
            number.set(number.get() + 1);
            let path = folder.0.path().join(format!("{}{what}", number.get()));
            match what {
                "curve.qdp" => std::fs::write(&path, qdp(made)).unwrap(),
                _ => made.write(&path, true).unwrap(),
            }
            Observation::open([path]).unwrap()
        };
        let observations = Observations::with(&folder, &intervals, curve);
        let counts = counts.borrow();
        assert!(counts.iter().all(|&count| count < EVENTS - 50));
        // The light curve of both kinds is made of the first file; light curves in memory go on with the balance of their events.
        let curves = if what == "in memory" { [EVENTS; 2] } else { [counts[1], counts[2]] };
        let mut balance = Balance { observations: &observations, curves, what, seen: 0 };
        each_analysis(&mut balance);
        assert!(balance.seen >= 32, "{}", balance.seen);
    }
}

/// Runs that are told to end before they begin end where they look for the first time.
struct Cancel<'a>(&'a Observations);

impl Visitor for Cancel<'_> {
    fn visit<A: Analysis>(&mut self, of: impl Fn(ObservationKind) -> A) {
        let session = Session::cpu().unwrap().watched_by(|_, _| ControlFlow::Break(()));
        for &kind in A::KINDS {
            let made: Result<A::Product> = session.run(&of(kind), self.0.of(kind));
            let error = made.err();
            assert!(matches!(error, Some(Error::Cancelled)), "{} of {}: {error:?}", A::NAME, kind.name());
        }
    }
}

#[test]
fn each_analysis_can_be_cancelled() {
    let folder = Folder::new();
    each_analysis(&mut Cancel(&Observations::new(&folder)));
}

/// The peer's bispectrum takes light curves, whose segments are this library's.
#[test]
fn cumulants_of_light_curves_follow_the_peer() {
    let session = Session::cpu().unwrap();
    let times = (0..4000).map(|i| 0.01 * f64::from(i) + 0.003 * f64::from(i % 3)).collect();
    let times = Observation::times(times, Gti::from_seconds(&[(0.0, 40.0)]).unwrap());
    let curve = Observation::light_curves([session.run(&Binning::default().dt(0.25), &times).unwrap()]);
    let mut analysis = BispectrumOfCumulants::default().segment_size(10.0);
    analysis.segmentation.compat_stingray = true;
    assert_eq!(session.run(&analysis, &curve).unwrap().meta.segments, 4);
    let mut pairs = BispectrumOfPairs::default().segment_size(10.0);
    pairs.segmentation.compat_stingray = true;
    assert!(session.run(&pairs, &curve).is_err());
}
