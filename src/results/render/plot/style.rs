//! Colours and dashes: those of Okabe and Ito, which colour-blind readers can tell apart too.

/// How many curves differ in colour and dash.
pub(super) const STYLES: usize = 7;

/// The page's background is painted, since the reader of a picture may have set the page around it to another one.
pub(super) const STYLE: &str = "\
.inp text{font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;font-size:11px;fill:#1f2328}
.inp .t{font-size:14px;font-weight:600}
.inp .n{fill:#59636e}
.inp .k{paint-order:stroke;stroke:#ffffff;stroke-width:3px}
.inp .bg{fill:#ffffff}
.inp .g{stroke:#e1e6eb;stroke-width:1}
.inp .a{stroke:#8c959f;stroke-width:1}
.inp .m{stroke:#59636e;stroke-width:1.2;stroke-dasharray:3 3}
.inp .o{fill:#d55e00;opacity:.12;stroke:none}
.inp .c{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.inp .d{stroke-width:1.3}
.inp .s0{stroke:#0072b2}.inp .f0{fill:#0072b2}
.inp .s1{stroke:#d55e00}.inp .f1{fill:#d55e00}
.inp .s2{stroke:#009e73}.inp .f2{fill:#009e73}
.inp .s3{stroke:#cc79a7}.inp .f3{fill:#cc79a7}
.inp .s4{stroke:#e69f00}.inp .f4{fill:#e69f00}
.inp .s5{stroke:#56b4e9}.inp .f5{fill:#56b4e9}
.inp .s6{stroke:#1f2328}.inp .f6{fill:#1f2328}
.inp .h{fill:none}
@media (prefers-color-scheme:dark){
.inp text{fill:#e6edf3}
.inp .n{fill:#9198a1}
.inp .k{stroke:#0d1117}
.inp .bg{fill:#0d1117}
.inp .g{stroke:#262c36}
.inp .a{stroke:#656c76}
.inp .m{stroke:#9198a1}
.inp .s0{stroke:#56b4e9}.inp .f0{fill:#56b4e9}
.inp .s5{stroke:#f0e442}.inp .f5{fill:#f0e442}
.inp .s6{stroke:#e6edf3}.inp .f6{fill:#e6edf3}
.inp .h{fill:none}
}";

/// The dashes of a curve, as an attribute.
pub(super) fn dashes(style: usize) -> &'static str {
    [
        "",
        " stroke-dasharray=\"7 4\"",
        " stroke-dasharray=\"2 4\"",
        " stroke-dasharray=\"9 3 2 3\"",
        " stroke-dasharray=\"4 2\"",
        " stroke-dasharray=\"1 3\"",
        " stroke-dasharray=\"12 4\"",
    ][style % STYLES]
}
