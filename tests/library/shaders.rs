//! What can be known of the shaders without a GPU: that they are valid, agree with the host, translate everywhere and fit.

use std::collections::BTreeSet;

use eagleray::internal::kernels::{Access, KERNELS, Limits, Shader};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{AddressSpace, Module, StorageAccess, TypeInner};

/// The profiles whose constants are resolved: portable, and native ones, that with 48 KiB and more with wide workgroups.
fn profiles() -> [Limits; 4] {
    [16_384, 32_768, 49_152, 65_536].map(|memory| match memory {
        16_384 => Limits::PORTABLE,
        _ => Limits::native(1024, memory, 65_535),
    })
}

fn shaders() -> impl Iterator<Item = &'static Shader> {
    KERNELS.iter().flat_map(|kernel| kernel.shaders.iter().copied())
}

fn validate(shader: &Shader, module: &Module) -> ModuleInfo {
    let capabilities = if shader.f64 { Capabilities::FLOAT64 } else { Capabilities::empty() };
    Validator::new(ValidationFlags::all(), capabilities)
        .validate(module)
        .unwrap_or_else(|e| panic!("{}: {}", shader.name, e.emit_to_string(&shader.source())))
}

fn parse(shader: &Shader) -> (Module, ModuleInfo) {
    let source = shader.source();
    let module = naga::front::wgsl::parse_str(&source)
        .unwrap_or_else(|e| panic!("{}: {}", shader.name, e.emit_to_string(&source)));
    let info = validate(shader, &module);
    (module, info)
}

/// The module with the override constants of a profile resolved, as a driver gets it.
fn resolve(shader: &Shader, limits: &Limits) -> (Module, ModuleInfo) {
    let (module, info) = parse(shader);
    let constants = (shader.constants)(limits).into_iter().map(|(name, value)| (name.to_string(), value)).collect();
    let entry = Some((naga::ShaderStage::Compute, shader.entry));
    let (module, info) = naga::back::pipeline_constants::process_overrides(&module, &info, entry, &constants)
        .unwrap_or_else(|e| panic!("{}: {e}", shader.name));
    (module.into_owned(), info.into_owned())
}

#[test]
fn files_and_kernels_match_one_to_one() {
    let files: BTreeSet<String> = std::fs::read_dir("shaders")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    let entries: BTreeSet<String> = shaders().map(|s| format!("{}.wgsl", s.entry)).collect();
    assert_eq!(files, entries);
    let names: BTreeSet<&str> = shaders().map(|s| s.name).collect();
    assert_eq!(names.len(), shaders().count(), "names of shaders are unique");
    let used: String = shaders().map(Shader::source).collect();
    for entry in std::fs::read_dir("shaders/lib").unwrap() {
        let path = entry.unwrap().path();
        assert!(used.contains(&std::fs::read_to_string(&path).unwrap()), "{} is not used", path.display());
    }
    for kernel in KERNELS {
        for shader in kernel.shaders {
            assert!(shader.entry.starts_with(kernel.name), "{}: files bear the kernel's stem", shader.name);
        }
    }
}

#[test]
fn every_shader_has_one_entry_point_named_as_its_file() {
    for shader in shaders() {
        let (module, _) = parse(shader);
        assert_eq!(module.entry_points.len(), 1, "{}", shader.name);
        assert_eq!(module.entry_points[0].name, shader.entry);
        let overrides: BTreeSet<&str> = module.overrides.iter().filter_map(|(_, o)| o.name.as_deref()).collect();
        let constants: BTreeSet<&str> =
            (shader.constants)(&Limits::PORTABLE).into_iter().map(|(name, _)| name).collect();
        assert_eq!(overrides, constants, "{}", shader.name);
    }
}

#[test]
fn sources_follow_the_rules() {
    for shader in shaders() {
        let code: String =
            shader.source().lines().filter_map(|line| line.split("//").next()).collect::<Vec<_>>().join("\n");
        for banned in ["sin(", "cos(", "tan(", "exp(", "pow(", "subgroup"] {
            assert!(!code.contains(banned), "{}: {banned}", shader.name);
        }
    }
}

#[test]
fn bindings_equal_those_described() {
    for shader in shaders() {
        let (module, _) = parse(shader);
        let mut found: Vec<(u32, String, Access)> = module
            .global_variables
            .iter()
            .filter_map(|(_, v)| {
                let binding = v.binding?;
                assert_eq!(binding.group, 0);
                let access = match v.space {
                    AddressSpace::Uniform => Access::Uniform,
                    AddressSpace::Storage { access } if access.contains(StorageAccess::STORE) => Access::ReadWrite,
                    _ => Access::Read,
                };
                Some((binding.binding, v.name.clone().unwrap_or_default(), access))
            })
            .collect();
        found.sort_by_key(|f| f.0);
        let described: Vec<(u32, String, Access)> = shader
            .bindings
            .iter()
            .enumerate()
            .map(|(i, (name, access))| (i as u32, name.to_string(), *access))
            .collect();
        assert_eq!(found, described, "{}", shader.name);
        assert_eq!(shader.bindings[0].1, Access::Uniform);
        assert!(shader.bindings.len() <= 9, "{}: 8 storage buffers are portable", shader.name);
    }
}

#[test]
fn structs_have_the_host_s_layout() {
    for shader in shaders() {
        let (module, _) = parse(shader);
        for layout in shader.layouts {
            let (_, ty) = module
                .types
                .iter()
                .find(|(_, ty)| ty.name.as_deref() == Some(layout.name))
                .unwrap_or_else(|| panic!("{}: no struct {}", shader.name, layout.name));
            let TypeInner::Struct { members, span } = &ty.inner else { panic!("{} is no struct", layout.name) };
            let found: Vec<(&str, usize)> =
                members.iter().map(|m| (m.name.as_deref().unwrap_or(""), m.offset as usize)).collect();
            assert_eq!(found, layout.fields, "{}: {}", shader.name, layout.name);
            assert_eq!(*span as usize, layout.span, "{}: {}", shader.name, layout.name);
        }
        let described: BTreeSet<&str> = shader.layouts.iter().map(|l| l.name).collect();
        let bound: BTreeSet<&str> = module
            .global_variables
            .iter()
            .filter(|(_, v)| v.binding.is_some())
            .map(|(_, v)| match module.types[v.ty].inner {
                TypeInner::Array { base, .. } => &module.types[base],
                _ => &module.types[v.ty],
            })
            .filter(|ty| matches!(ty.inner, TypeInner::Struct { .. }))
            .filter_map(|ty| ty.name.as_deref())
            .collect();
        assert_eq!(bound, described, "{}: every struct in a buffer is described", shader.name);
    }
}

#[test]
fn workgroup_memory_fits_the_profile() {
    for limits in profiles() {
        for shader in shaders() {
            let (module, _) = resolve(shader, &limits);
            let mut layouter = naga::proc::Layouter::default();
            layouter.update(module.to_ctx()).unwrap();
            let bytes: u32 = module
                .global_variables
                .iter()
                .filter(|(_, v)| v.space == AddressSpace::WorkGroup)
                .map(|(_, v)| layouter[v.ty].size)
                .sum();
            assert_eq!(bytes, (shader.workgroup_bytes)(&limits), "{}", shader.name);
            assert!(bytes <= limits.workgroup_memory, "{}: {bytes} bytes", shader.name);
            let constants = (shader.constants)(&limits);
            let threads = constants.iter().find(|(name, _)| *name == "THREADS").map_or(0, |&(_, value)| value as u32);
            assert_eq!(module.entry_points[0].workgroup_size, [threads, 1, 1], "{}", shader.name);
            let wide = shader.name.ends_with(".wide") && threads == limits.wide().threads;
            let half = shader.f64 && threads == limits.threads / 2;
            assert!(threads == limits.threads || half || wide, "{}", shader.name);
        }
    }
    assert_eq!(Limits::PORTABLE.workgroup_memory, 16_384);
    assert_eq!(profiles().map(|limits| limits.wide().points), [2048, 4096, 6144, 8192]);
}

#[test]
fn every_shader_translates_to_every_platform() {
    for limits in profiles() {
        for shader in shaders() {
            let (module, info) = resolve(shader, &limits);
            let options = naga::back::spv::Options::default();
            let words = naga::back::spv::write_vec(&module, &info, &options, None)
                .unwrap_or_else(|e| panic!("{}: SPIR-V: {e}", shader.name));
            assert!(words.len() > 100);

            let mut hlsl = String::new();
            let options = naga::back::hlsl::Options {
                shader_model: naga::back::hlsl::ShaderModel::V6_0,
                fake_missing_bindings: true,
                ..Default::default()
            };
            naga::back::hlsl::Writer::new(&mut hlsl, &options, &Default::default())
                .write(&module, &info, None)
                .unwrap_or_else(|e| panic!("{}: HLSL: {e}", shader.name));
            assert!(hlsl.contains("numthreads"));

            // Metal has no f64.
            if !shader.f64 {
                let options = naga::back::msl::Options { fake_missing_bindings: true, ..Default::default() };
                let (msl, _) = naga::back::msl::write_string(&module, &info, &options, &Default::default())
                    .unwrap_or_else(|e| panic!("{}: MSL: {e}", shader.name));
                assert!(msl.contains("kernel"));
            }
        }
    }
}
