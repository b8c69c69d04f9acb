/// JSON (RFC 8259) into values and back, without Foundation and with limits on what a peer can make it do.
///
/// - Numbers without fraction and exponent that fit 64 bits are `.int`, all others `.double`; one beyond a double's range is an error.
/// - Bytes of a string that are not valid UTF-8 stand as `\xHH` (see `TextRepair`), half a surrogate pair as U+FFFD.
/// - Where a name comes twice in an object, the last value wins.
public enum JSON {
    public struct Limits: Sendable {
        /// Objects and lists within each other.
        public var depthMax: Int

        public init(depthMax: Int = 64) { self.depthMax = depthMax }

        public static let standard = Limits()
    }

    /// The one value that the text holds, blanks around it allowed.
    public static func parse(
        _ text: UnsafeRawBufferPointer, limits: Limits = .standard
    ) throws(JSONError) -> Value {
        var reader = JSONReader(text, limits: limits)
        return try reader.document()
    }

    public static func parse(_ text: String, limits: Limits = .standard) throws(JSONError) -> Value {
        try parse(Array(text.utf8), limits: limits)
    }

    public static func parse(_ text: [UInt8], limits: Limits = .standard) throws(JSONError) -> Value {
        let result: Result<Value, JSONError> = text.withUnsafeBytes { bytes in
            do throws(JSONError) { return .success(try parse(bytes, limits: limits)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}

/// Text that is no JSON: where and why.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The byte, from 0.
    public var position: Int
    public var message: String

    public init(at position: Int, _ message: String) {
        self.position = position
        self.message = message
    }

    public var description: String { "not JSON at byte \(position): \(message)" }
}
