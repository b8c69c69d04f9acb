#if canImport(Glibc)
    import Glibc
#endif

/// The C library's functions, so that no other file needs it.
enum Mathematics {
    static func natural(_ value: Double) -> Double { log(value) }
    static func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
}
