//! Lists of layers that no network can be made of. The messages are in tests/snapshots/broken_layers.txt.

/// What is wrong, and the layers.
pub const BROKEN: &[(&str, &str)] = &[
    (
        "a kernel larger than its input",
        r#"[{"kind": "conv", "channels": 4, "kernel": 40}, "flatten", "linear"]"#,
    ),
    (
        "a kernel larger than what is left",
        r#"[{"kind": "max_pool", "kernel": 8}, {"kind": "conv", "channels": 4, "kernel": 7}, "flatten", "linear"]"#,
    ),
    (
        "kernel 0",
        r#"[{"kind": "conv", "channels": 4, "kernel": 0}, "flatten", "linear"]"#,
    ),
    (
        "stride 0",
        r#"[{"kind": "conv", "channels": 4, "kernel": 3, "stride": 0}, "flatten", "linear"]"#,
    ),
    (
        "stride 0 one way",
        r#"[{"kind": "conv", "channels": 4, "kernel": 3, "stride": [1, 0]}, "flatten", "linear"]"#,
    ),
    (
        "dilation 0",
        r#"[{"kind": "conv", "channels": 4, "kernel": 3, "dilation": 0}, "flatten", "linear"]"#,
    ),
    (
        "a dilated kernel larger than its input",
        r#"[{"kind": "conv", "channels": 4, "kernel": 3, "dilation": 20}, "flatten", "linear"]"#,
    ),
    (
        "a negative padding",
        r#"[{"kind": "conv", "channels": 4, "kernel": 3, "padding": -1}, "flatten", "linear"]"#,
    ),
    (
        "a padding by an unknown name",
        r#"[{"kind": "conv", "channels": 4, "kernel": 3, "padding": "valid"}, "flatten", "linear"]"#,
    ),
    (
        "same padding of an even kernel",
        r#"[{"kind": "conv", "channels": 4, "kernel": 4, "padding": "same"}, "flatten", "linear"]"#,
    ),
    (
        "a kernel of three sides",
        r#"[{"kind": "conv", "channels": 4, "kernel": [3, 3, 3]}, "flatten", "linear"]"#,
    ),
    (
        "a kernel as text",
        r#"[{"kind": "conv", "channels": 4, "kernel": "3x3"}, "flatten", "linear"]"#,
    ),
    (
        "no kernel",
        r#"[{"kind": "conv", "channels": 4}, "flatten", "linear"]"#,
    ),
    (
        "no channels",
        r#"[{"kind": "conv", "channels": 0, "kernel": 3}, "flatten", "linear"]"#,
    ),
    (
        "groups that do not divide the input",
        r#"[{"kind": "conv", "channels": 4, "kernel": 3, "groups": 2}, "flatten", "linear"]"#,
    ),
    (
        "groups that do not divide the output",
        r#"[{"kind": "conv", "channels": 4, "kernel": 3}, {"kind": "conv", "channels": 6, "kernel": 3, "groups": 4}, "flatten", "linear"]"#,
    ),
    (
        "groups of a norm that do not divide",
        r#"[{"kind": "conv", "channels": 4, "kernel": 3}, {"kind": "group_norm", "groups": 3}, "flatten", "linear"]"#,
    ),
    (
        "a residual of another shape",
        r#"[{"kind": "residual", "body": [{"kind": "conv", "channels": 4, "kernel": 3}]}, "flatten", "linear"]"#,
    ),
    (
        "a shortcut of another shape",
        r#"[{"kind": "residual", "body": [{"kind": "conv", "channels": 4, "kernel": 3}], "shortcut": [{"kind": "conv", "channels": 4, "kernel": 1}]}, "flatten", "linear"]"#,
    ),
    (
        "an empty body",
        r#"[{"kind": "residual", "body": []}, "flatten", "linear"]"#,
    ),
    (
        "branches of other sizes",
        r#"[{"kind": "branches", "branches": [[], [{"kind": "max_pool", "kernel": 2}]]}, "flatten", "linear"]"#,
    ),
    (
        "a branch that is a vector",
        r#"[{"kind": "branches", "branches": [["flatten"], ["relu"]]}, "linear"]"#,
    ),
    (
        "no branches",
        r#"[{"kind": "branches", "branches": []}, "flatten", "linear"]"#,
    ),
    (
        "a linear layer on maps",
        r#"[{"kind": "conv", "channels": 4, "kernel": 3}, {"kind": "linear", "features": 9}, "linear"]"#,
    ),
    (
        "a convolution of a vector",
        r#"["flatten", {"kind": "conv", "channels": 4, "kernel": 3}, "linear"]"#,
    ),
    (
        "maps at the end",
        r#"[{"kind": "conv", "channels": 4, "kernel": 3}, "relu"]"#,
    ),
    (
        "another number of values at the end",
        r#"["flatten", {"kind": "linear", "features": 84}]"#,
    ),
    ("no layers", "[]"),
    ("no list", r#"{"kind": "conv"}"#),
    ("a number for a layer", r#"[3, "flatten", "linear"]"#),
    (
        "an unknown layer",
        r#"[{"kind": "convolution", "channels": 4, "kernel": 3}, "flatten", "linear"]"#,
    ),
    ("an unknown name of a layer", r#"["flaten", "linear"]"#),
    (
        "a name of a layer that needs settings",
        r#"["conv", "flatten", "linear"]"#,
    ),
    (
        "a layer without a kind",
        r#"[{"channels": 4, "kernel": 3}, "flatten", "linear"]"#,
    ),
    (
        "an unknown setting",
        r#"[{"kind": "conv", "channels": 4, "kernel": 3, "strides": 2}, "flatten", "linear"]"#,
    ),
    (
        "an unknown setting in a nested list",
        r#"[{"kind": "residual", "body": [{"kind": "conv", "channels": 1, "kernel": 1, "pad": 0}]}, "flatten", "linear"]"#,
    ),
    (
        "a padding of more than half the window",
        r#"[{"kind": "max_pool", "kernel": 2, "padding": 2}, "flatten", "linear"]"#,
    ),
    (
        "heads that do not divide",
        r#"[{"kind": "conv", "channels": 6, "kernel": 8, "stride": 8}, "tokens", {"kind": "self_attention", "heads": 4}, "flatten", "linear"]"#,
    ),
    (
        "attention on maps",
        r#"[{"kind": "self_attention", "heads": 1}, "flatten", "linear"]"#,
    ),
    (
        "a terabyte of weights",
        r#"["flatten", {"kind": "linear", "features": 524288}, {"kind": "linear", "features": 524288}, "linear"]"#,
    ),
    (
        "a terabyte of values",
        r#"[{"kind": "adaptive_avg_pool", "size": 60000}, "flatten", "linear"]"#,
    ),
    (
        "a million layers",
        r#"[{"kind": "repeat", "times": 1000, "layers": [{"kind": "repeat", "times": 1000, "layers": ["relu"]}]}, "flatten", "linear"]"#,
    ),
    (
        "a million repetitions",
        r#"[{"kind": "repeat", "times": 1000000, "layers": ["relu"]}, "flatten", "linear"]"#,
    ),
    (
        "two layers of one name",
        r#"["flatten", {"kind": "linear", "features": 9, "name": "fc"}, {"kind": "linear", "name": "fc"}]"#,
    ),
    (
        "a name with a space",
        r#"["flatten", {"kind": "linear", "name": "the head"}]"#,
    ),
    (
        "dropout of everything",
        r#"["flatten", {"kind": "dropout", "p": 1.0}, "linear"]"#,
    ),
    (
        "maps that do not fill",
        r#"["flatten", {"kind": "linear", "features": 10}, {"kind": "unflatten", "size": 3}, "global_avg_pool"]"#,
    ),
    (
        "channels that make no pixels",
        r#"[{"kind": "depth_to_space", "block": 2}, "flatten", "linear"]"#,
    ),
    (
        "tokens at the end",
        r#"[{"kind": "conv", "channels": 2, "kernel": 4, "stride": 4}, "tokens", {"kind": "linear", "features": 36}]"#,
    ),
    (
        "channels last at the end",
        r#"["channels_last", {"kind": "linear", "features": 36}]"#,
    ),
    (
        "a shuffle of another library",
        r#"[{"kind": "conv", "channels": 4, "kernel": 1}, {"kind": "depth_to_space", "block": 2, "mode": "rcd"}, "flatten", "linear"]"#,
    ),
    (
        "softmax at the end",
        r#"["flatten", "linear", {"kind": "log_softmax"}]"#,
    ),
    (
        "a layer as PyTorch calls it",
        r#"[{"kind": "MaxPool2d", "kernel": 2}, "flatten", "linear"]"#,
    ),
    (
        "a layer as Keras calls it",
        r#"["flatten", {"kind": "dense", "features": 36}]"#,
    ),
];
