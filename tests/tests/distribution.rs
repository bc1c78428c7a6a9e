//! `switchboard plugin add` against a real registry, a web server that
//! misbehaves, and files; and `plugins.lock` as `check` holds a folder to it.

#[path = "distribution/crooked.rs"]
mod crooked;
#[path = "distribution/registry.rs"]
mod registry;
#[path = "distribution/stage.rs"]
mod stage;

mod from_a_registry {
    use super::{registry::Registry, stage::*};

    #[tokio::test(flavor = "multi_thread")]
    async fn a_plugin_is_fetched_shown_and_pinned() {
        let Some(registry) = Registry::start(None).await else { return };
        let stage = Stage::new();
        let source = registry.push("acme/speechless", "1", &first()).await;
        let (code, said, error) = stage.add(&[&source]);
        assert_eq!(code, 0, "{said}{error}");
        assert!(said.starts_with("speechless 1.0.0: "), "{said}");
        assert!(said.contains("asks for nothing"), "{said}");
        let step = "[[step]]\nname = \"speechless\"\nplugin = \"plugins/speechless.wasm\"\n";
        assert!(said.ends_with(step), "{said}");
        assert_eq!(stage.plugin(), first());
        let lock = stage.lock();
        let pin = &lock["plugin"][0];
        assert_eq!(pin["name"].as_str(), Some("speechless"));
        assert_eq!(pin["source"].as_str(), Some(&*source));
        assert_eq!(pin["version"].as_str(), Some("1.0.0"));
        assert_eq!(pin["digest"].as_str(), Some(&*digest(&first())));
        assert!(pin["manifest"].as_str().unwrap().starts_with("sha256:"));
        // The lines that it shows are lines that a chain takes.
        stage.append("chains/default.toml", step);
        assert_eq!(stage.check(), (0, "ok: 1 channel, 0 warnings\n".into()));

        // Not again; not by accident.
        let (code, _, error) = stage.add(&[&source]);
        assert_eq!(code, 1);
        assert!(error.contains("plugins/speechless.wasm is there already; `--update`"), "{error}");

        let second_source = registry.push("acme/speechless", "2", &second()).await;
        let (code, said, error) = stage.add(&[&second_source, "--update"]);
        assert_eq!(code, 0, "{error}");
        assert!(said.starts_with("speechless 2.0.0 (was 1.0.0): "), "{said}");
        assert!(said.contains("NEW: broadcast: to tell\u{fffd}[2J of offers\n"), "{said}");
        assert_eq!((stage.plugin(), stage.check().0), (second(), 0));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_new_plugin_shows_the_grants_it_asks_for() {
        let Some(registry) = Registry::start(None).await else { return };
        let stage = Stage::new();
        let source = registry.push("acme/speechless", "2", &second()).await;
        let (code, said, _) = stage.add(&[&source, "--name", "offers"]);
        assert_eq!(code, 0, "{said}");
        let step = "[[step]]\nname = \"offers\"\nplugin = \"plugins/offers.wasm\"\n\
                    # grants = { broadcast = true, http = [\"offers.example:8443\"] }\n";
        assert!(said.ends_with(step), "{said}");
        stage.append("chains/default.toml", &step.replace("# ", ""));
        assert_eq!(stage.check(), (0, "ok: 1 channel, 0 warnings\n".into()));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_missing_is_restored_whatever_its_tag_means_now() {
        let Some(registry) = Registry::start(None).await else { return };
        let stage = Stage::new();
        let source = registry.push("acme/speechless", "latest", &first()).await;
        assert_eq!(stage.add(&[&source]).0, 0);
        stage.append("chains/default.toml", STEP);
        registry.push("acme/speechless", "latest", &second()).await;
        std::fs::remove_file(stage.file()).unwrap();
        let (code, said) = stage.check();
        assert_eq!(code, 1);
        assert!(said.contains("`switchboard plugin add --restore --to "), "{said}");
        assert!(said.ends_with("not ok: 1 problem\n"), "{said}");
        let (code, said, error) = stage.add(&["--restore"]);
        assert_eq!((code, said.as_str()), (0, "plugins/speechless.wasm: fetched\n"), "{error}");
        assert_eq!((stage.plugin(), stage.check().0), (first(), 0));
        let (code, said, _) = stage.add(&["--restore"]);
        assert_eq!((code, said.as_str()), (0, "plugins/speechless.wasm: is there\n"));
        // Another file is nobody's to overwrite.
        std::fs::write(stage.file(), second()).unwrap();
        let (code, _, error) = stage.add(&["--restore"]);
        assert_eq!(code, 1);
        assert!(error.contains("is left as it is"), "{error}");
        assert_eq!(stage.plugin(), second());
        // What comes from elsewhere under the same name is not taken for it.
        std::fs::remove_file(stage.file()).unwrap();
        let wrong = stage.lock_text().replace(&digest(&first()), &digest(b"another"));
        stage.write("plugins.lock", &wrong);
        let (code, _, error) = stage.add(&["--restore"]);
        assert_eq!(code, 1);
        assert!(error.contains(&digest(b"another")) && !stage.file().exists(), "{error}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_digest_is_held_to() {
        let Some(registry) = Registry::start(None).await else { return };
        let stage = Stage::new();
        let source = registry.push("acme/speechless", "1", &first()).await;
        let other = digest(b"another");
        let (code, _, error) = stage.add(&[&source, "--digest", &other]);
        assert_eq!(code, 1);
        assert!(error.contains(&other) && error.contains(&digest(&first())), "{error}");
        assert!(!stage.file().exists() && !stage.path("plugins.lock").exists());
        assert_eq!(stage.add(&[&source, "--digest", &digest(&first())]).0, 0);
        // By the manifest's digest, as a registry names it.
        let manifest = stage.lock()["plugin"][0]["manifest"].as_str().unwrap().to_owned();
        let exact = format!("{}@{manifest}", source.rsplit_once(':').unwrap().0);
        let (code, _, error) = stage.add(&[&exact, "--name", "exact"]);
        assert_eq!(code, 0, "{error}");
        let missing = exact.replace(&manifest, &other);
        let (code, _, error) = stage.add(&[&missing, "--name", "missing"]);
        assert_eq!(code, 3);
        assert!(error.contains("404") && error.contains("manifest unknown"), "{error}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_no_plugin_is_refused() {
        let Some(registry) = Registry::start(None).await else { return };
        let stage = Stage::new();
        let old = "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm";
        let source = registry.push_layers("acme/old", "1", &[(old, first())]).await;
        assert_eq!(stage.add(&[&source]).0, 0);
        let image = "application/vnd.oci.image.layer.v1.tar+gzip";
        let wasm = "application/wasm";
        for (name, layers, why) in [
            ("image", vec![(image, first())], "a layer `application/wasm` is needed"),
            ("two", vec![(wasm, first()), (wasm, second())], "more than one component"),
            ("text", vec![(wasm, b"hello".to_vec())], "is not WebAssembly"),
            ("core", vec![(wasm, b"\0asm\x01\0\0\0".to_vec())], "core WebAssembly module"),
        ] {
            let source = registry.push_layers(&format!("acme/{name}"), "1", &layers).await;
            let (code, _, error) = stage.add(&[&source, "--name", name]);
            assert_eq!(code, 1, "{name}: {error}");
            assert!(error.contains(why) && error.contains(&source), "{name}: {error}");
        }
        // Nothing of them was left behind.
        let files = std::fs::read_dir(stage.path("plugins")).unwrap();
        let files: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
        assert_eq!(files, ["speechless.wasm"]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_registry_that_asks_who_we_are_is_told_what_docker_knows() {
        let Some(registry) = Registry::start(Some(())).await else { return };
        let stage = Stage::new();
        let source = registry.push("acme/speechless", "1", &first()).await;
        let (code, _, error) = stage.add(&[&source]);
        assert_eq!(code, 3);
        assert!(error.contains(&format!("docker login {}", registry.address)), "{error}");
        stage.login(&registry.address, "ann", "wrong");
        let (code, _, error) = stage.add(&[&source]);
        assert_eq!(code, 3);
        assert!(error.contains("does not take the login"), "{error}");
        assert!(!error.contains("wrong"), "{error}");
        stage.login(&registry.address, registry::USER, registry::PASSWORD);
        let (code, _, error) = stage.add(&[&source]);
        assert_eq!(code, 0, "{error}");
        assert!(!stage.lock_text().contains(registry::PASSWORD));
    }

    use super::registry;
}

mod signed {
    use super::{registry::Registry, stage::*};

    #[tokio::test(flavor = "multi_thread")]
    async fn in_a_registry_as_cosign_does_it() {
        let Some(registry) = Registry::start(None).await else { return };
        let stage = Stage::new();
        let (ours, theirs) = (Signer::new(1), Signer::new(2));
        stage.trust(&[&ours]);
        let source = registry.push("acme/speechless", "1", &first()).await;
        let manifest = registry.manifest_digest(&source).await;
        let refused = |why: &str| {
            let (code, _, error) = stage.add(&[&source]);
            assert_eq!(code, 1, "{error}");
            assert!(error.contains(why), "{error}");
            assert!(!stage.file().exists() && !stage.path("plugins.lock").exists());
        };
        refused("is not signed: there is no signature at the tag `sha256-");
        registry.sign(&source, &manifest, &theirs, None).await;
        refused("is not signed by a key that is trusted here");
        registry.sign(&source, &digest(b"another"), &ours, None).await;
        refused("was made for something else");
        // Signed by us, and then changed to fit.
        let payload = payload_of(&digest(b"another"));
        registry.sign(&source, &manifest, &ours, Some(&payload)).await;
        refused("or what it was made for was changed since");
        registry.sign(&source, &manifest, &ours, None).await;
        let (code, said, error) = stage.add(&[&source]);
        assert_eq!(code, 0, "{error}");
        assert!(said.contains(&format!("signed by {}", ours.fingerprint())), "{said}");
        stage.append("chains/default.toml", STEP);
        assert_eq!(stage.check().0, 0);

        // The lock says who signed; whom the owner trusts may change.
        stage.trust(&[&theirs]);
        let (code, said) = stage.check();
        assert_eq!(code, 1);
        assert!(said.contains(&ours.fingerprint()) && said.contains("plugins.keys"), "{said}");
        stage.trust(&[&theirs, &ours]);
        assert_eq!(stage.check().0, 0);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn beside_a_file() {
        let stage = Stage::new();
        let (ours, theirs) = (Signer::new(1), Signer::new(2));
        let file = stage.outside("loyal.wasm", &first());
        let key = stage.outside("vendor.pub", ours.public().as_bytes());
        let added = |more: &[&str]| stage.add(&[&[file.as_str()], more].concat());
        let (code, _, error) = added(&["--key", &key]);
        assert_eq!(code, 1);
        assert!(error.contains("is not signed: there is no ") && error.contains("loyal.wasm.sig"));
        for (signature, why) in [
            (theirs.sign(&first()), "is not signed by a key that is trusted here"),
            (ours.sign(&second()), "is not signed by a key that is trusted here"),
            ("AAAA".into(), "is not signed by a key that is trusted here"),
        ] {
            stage.outside("loyal.wasm.sig", signature.as_bytes());
            let (code, _, error) = added(&["--key", &key]);
            assert_eq!(code, 1);
            assert!(error.contains(why), "{error}");
        }
        stage.outside("loyal.wasm.sig", ours.sign(&first()).as_bytes());
        let (code, _, error) = added(&["--key", &key]);
        assert_eq!(code, 0, "{error}");
        let pinned = stage.lock()["plugin"][0]["signed_by"].as_str().map(str::to_owned);
        assert_eq!(pinned, Some(ours.fingerprint()));
        // A key that the folder does not trust is no way in.
        stage.trust(&[&theirs]);
        let (code, _, error) = added(&["--key", &key, "--update"]);
        assert_eq!(code, 1);
        assert!(error.contains("is not one of the folder's `plugins.keys`"), "{error}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_added_unsigned_is_not_run_once_signatures_are_asked_for() {
        let stage = Stage::new();
        let file = stage.outside("loyal.wasm", &first());
        assert_eq!(stage.add(&[&file]).0, 0);
        stage.append("chains/default.toml", STEP);
        assert_eq!(stage.check().0, 0);
        stage.trust(&[&Signer::new(1)]);
        let (code, said) = stage.check();
        assert_eq!(code, 1);
        assert!(said.contains("was added without a signature"), "{said}");
        stage.write("keys/0.pub", "no key");
        let (code, said) = stage.check();
        assert_eq!(code, 1);
        assert!(said.contains("plugins.keys[0]: `keys/0.pub` is not a public key"), "{said}");
    }
}

mod locked {
    use super::stage::*;
    use switchboard_tests::eventually;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_running_server_takes_up_what_is_added_and_not_what_is_slipped_in() {
        let stage = Stage::new();
        let (old, new) = (stage.outside("1.wasm", &first()), stage.outside("2.wasm", &second()));
        assert_eq!(stage.add(&[&old]).0, 0);
        stage.append("chains/default.toml", STEP);
        let server = stage.serve();
        let logged = |words: &str| server.log.lock().unwrap().contains(words);
        assert!(!logged("asks for `broadcast`"));
        assert_eq!(stage.add(&[&new, "--update"]).0, 0);
        // The new version runs: what it asks for and is not granted is said.
        eventually("the new version", || logged("asks for `broadcast`")).await;
        std::fs::write(stage.file(), first()).unwrap();
        let slipped_in = format!("expected {}", digest(&second()));
        eventually("the refusal", || logged(&slipped_in)).await;
        let problems = server.admin_get("/readyz").await["generation"]["problems"].to_string();
        assert!(problems.contains("is not the file that plugins.lock names"), "{problems}");
        // Mended by having the lock's file again.
        std::fs::remove_file(stage.file()).unwrap();
        assert_eq!(stage.add(&["--restore"]).0, 0);
        for _ in 0..3_000 {
            let ready = server.admin_get("/readyz").await;
            if ready["generation"]["problems"] == serde_json::json!([]) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("waited a minute for the folder to be in order");
    }

    #[test]
    fn a_file_that_is_not_the_pinned_one_is_not_run() {
        let stage = Stage::new();
        let file = stage.outside("loyal.wasm", &first());
        assert_eq!(stage.add(&[&file]).0, 0);
        stage.append("chains/default.toml", STEP);
        assert_eq!(stage.check().0, 0);
        std::fs::write(stage.file(), second()).unwrap();
        let (code, said) = stage.check();
        assert_eq!(code, 1);
        assert!(said.starts_with("chains/default.toml:"), "{said}");
        for part in [digest(&first()), digest(&second()), "--update".into(), "remove its".into()] {
            assert!(said.contains(&part), "{part}: {said}");
        }
        stage.write("plugins.lock", "version = 1\n");
        assert_eq!(stage.check().0, 0, "a file dropped in by hand is fine");
        stage.write("switchboard.toml", &stage.business("[plugins]\nrequire_lock = true\n"));
        let (code, said) = stage.check();
        assert_eq!(code, 1);
        assert!(said.contains("is not in plugins.lock, and `plugins.require_lock`"), "{said}");
        stage.write("plugins.lock", "version = ");
        let (code, said) = stage.check();
        assert_eq!(code, 1);
        assert!(said.starts_with("plugins.lock:1: "), "{said}");
    }

    #[test]
    fn a_source_that_is_none_is_refused_in_words() {
        let stage = Stage::new();
        for (source, why) in [
            ("http://acme.example/x.wasm", "`http://` is for this machine alone"),
            ("ftp://acme.example/x.wasm", "neither with `oci://` nor with `https://`"),
            ("oci://acme.example/UPPER:1", "is not a reference such as"),
            ("missing.wasm", "missing.wasm can't be read"),
        ] {
            let (code, said, error) = stage.add(&[source]);
            assert_eq!((code, said.as_str()), (3, ""), "{source}: {error}");
            assert!(error.contains(why), "{source}: {error}");
        }
        let (code, _, error) = stage.add(&["x.wasm", "--name", "No Name"]);
        assert_eq!(code, 1);
        assert!(error.contains("--name `No Name` is no plugin's name"), "{error}");
    }
}
