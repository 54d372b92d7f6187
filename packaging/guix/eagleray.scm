;;; The Python package eagleray for GNU Guix.
;;; Crates are vendored: `cargo vendor` into vendor/ before the checkout becomes the source. A submission to Guix itself has them as
;;; inputs instead, as `guix import --recursive crate` writes them.

(use-modules (guix packages)
             (guix gexp)
             (guix git-download)
             (guix build-system pyproject)
             ((guix licenses) #:prefix license:)
             (gnu packages python-xyz)
             (gnu packages rust)
             (gnu packages rust-apps))

(define-public python-eagleray
  (package
    (name "python-eagleray")
    (version "0.2.0")
    ;; RELEASE: an origin with the archive of the sources and its hash.
    (source (local-file "../.." "eagleray-checkout" #:recursive? #t))
    (build-system pyproject-build-system)
    (arguments
     (list
      #:tests? #f                       ;the tests need Stingray 2.3.2
      #:phases
      #~(modify-phases %standard-phases
          (add-after 'unpack 'use-vendored-crates
            (lambda _
              (mkdir-p ".cargo")
              (call-with-output-file ".cargo/config.toml"
                (lambda (port)
                  (display "[source.crates-io]\nreplace-with = \"vendored\"\n\n[source.vendored]\ndirectory = \"vendor\"\n" port)))
              (chdir "crates/python"))))))
    (native-inputs (list maturin rust `(,rust "cargo")))
    (propagated-inputs (list python-numpy))
    (home-page "")                      ;RELEASE
    (synopsis "X-ray spectral timing on any GPU")
    (description
     "Eagleray turns photon lists of X-ray satellites into power spectra, cross spectra, lags and pulsations, on the CPU or on any
GPU that Vulkan, Metal or DX12 reaches.")
    (license (list license:expat license:asl2.0))))

python-eagleray
