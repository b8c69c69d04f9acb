/// Text for a terminal: no peer's name can move its cursor, and every character's width is known.
enum TerminalText {
    /// Control characters, invisible ones and those that turn the writing direction as `\xHH` or `\u{HHHH}`.
    static func harmless(_ text: String) -> String {
        var shown = ""
        for scalar in text.unicodeScalars {
            if isHarmless(scalar) {
                shown.unicodeScalars.append(scalar)
            } else {
                let digits = String(scalar.value, radix: 16)
                shown += scalar.value < 0x100 ? "\\x\(digits.count < 2 ? "0" : "")\(digits)" : "\\u{\(digits)}"
            }
        }
        return shown
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .nonspacingMark, .enclosingMark, .spacingMark:
            false
        default: true
        }
    }

    /// The columns that a harmless text takes: two for East Asian wide characters and pictures, else one.
    static func width(_ text: String) -> Int { text.unicodeScalars.reduce(0) { $0 + width($1) } }

    private static func width(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xa960...0xa97c, 0xac00...0xd7a3, 0xf900...0xfaff,
            0xfe30...0xfe6f,
            0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f680...0x1f6ff, 0x1f900...0x1f9ff,
            0x20000...0x3fffd:
            2
        default: 1
        }
    }

    /// Exactly so many columns: filled with spaces, or cut, with `…` where something is missing.
    static func fitted(_ text: String, to columns: Int, right: Bool = false) -> String {
        let missing = columns - width(text)
        guard missing < 0 else {
            let space = String(repeating: " ", count: missing)
            return right ? space + text : text + space
        }
        guard columns > 0 else { return "" }
        var cut = ""
        var taken = 0
        for scalar in text.unicodeScalars {
            let next = width(scalar)
            if taken + next > columns - 1 { break }
            cut.unicodeScalars.append(scalar)
            taken += next
        }
        return cut + "…" + String(repeating: " ", count: columns - 1 - taken)
    }
}
