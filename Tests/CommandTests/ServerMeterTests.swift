import Base
import Testing

@testable import MillraceCLI

@Suite struct ServerMeterTests {
    private static let tail =
        "S 1 1 1 0 -1 4194560 100 0 0 0 250 75 0 0 20 0 9 0 100 100000 2000 18446744073709551615"

    /// The kernel puts a process's name into parentheses as it is.
    @Test(arguments: ["millrace", "a b", "a) S 9 9 (b", "java -jar x)"]) func aNameThatLooksLikeFieldsIsNone(
        name: String
    ) throws {
        let reading = try #require(
            ServerMeter.reading(
                stat: "42 (\(name)) \(Self.tail)", status: "Name:\tx\nVmHWM:\t   2048 kB\nVmRSS:\t   1024 kB\n",
                ticksPerSecond: 100))
        #expect(reading == .init(userSeconds: 2.5, kernelSeconds: 0.75, resident: .kib(1024), peak: .kib(2048)))
    }

    @Test(arguments: ["", "42 (x", "42 (x) S 1 2"]) func whatIsNoStatIsNoReading(stat: String) {
        #expect(ServerMeter.reading(stat: stat, status: "", ticksPerSecond: 100) == nil)
    }

    @Test func thisProcessIsRead() throws {
        let reading = try #require(ServerMeter(pid: 1)?.read())
        #expect(reading.userSeconds >= 0)
        #expect(ServerMeter(pid: -1) == nil)
    }
}
