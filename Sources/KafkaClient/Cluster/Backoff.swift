/// Waiting times between tries: doubling from `first` to `max`, each spread by ±20 % so that many clients don't try in step.
public struct Backoff: Sendable {
    public var first: Duration
    public var max: Duration
    public private(set) var tries = 0

    public init(first: Duration = .milliseconds(100), max: Duration = .seconds(5)) {
        self.first = first
        self.max = max
    }

    /// The time to wait before the next try.
    public mutating func next() -> Duration {
        var generator = SystemRandomNumberGenerator()
        return next(using: &generator)
    }

    public mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let doubled = first * (1 << min(tries, 20))
        tries += 1
        return (doubled < max ? doubled : max) * Double.random(in: 0.8...1.2, using: &generator)
    }

    /// It worked: the next failure waits `first` again.
    public mutating func reset() { tries = 0 }
}
