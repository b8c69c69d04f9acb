import Base
import TestKit
import Testing

@testable import Agent

/// From the spool to the broker: the whole way, in virtual time, with kills, power cuts and a bad network.
@Suite struct SpoolShipping {
    private func ship(seed: UInt64, _ weather: Simulation.Weather) throws -> Simulation.Counts {
        let simulation = Simulation(seed: seed, weather: weather)
        let agent = SimulatedAgent(SimulatedSources("h", sources: 0), linesMax: 0)
        let lines = SpooledLines(linesMax: 3000)
        agent.spooled = lines
        simulation.add(agent)
        simulation.isTracing = tracedSeed == seed
        defer { for line in simulation.trace { print(line) } }
        try #require(simulation.run(storm: .seconds(60)), "seed \(seed): not everything was shipped within an hour")
        let arrived = simulation.broker.lines.values.joined().reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
            .filter { $0.key.hasPrefix("spooled") }
        let lost = lines.certain.subtracting(arrived.keys)
        let invented = Set(arrived.keys).subtracting(lines.possible)
        let twice = arrived.filter { $0.value > 1 }
        #expect(lost.isEmpty, "seed \(seed): lost \(lost.sorted().prefix(3)) of \(lost.count)")
        #expect(invented.isEmpty, "seed \(seed): invented \(invented.sorted().prefix(3))")
        #expect(twice.isEmpty, "seed \(seed): twice \(twice.keys.sorted().prefix(3))")
        #expect(lines.certain.count > 100, "seed \(seed): only \(lines.certain.count) lines were written")
        #expect(lines.heldBytes < 6 << 10, "seed \(seed): what was shipped is not released")
        for log in simulation.broker.lines.values {
            let numbers = log.filter { $0.hasPrefix("spooled") }.map { Int($0.dropFirst(8).prefix { $0 != " " })! }
            #expect(numbers == numbers.sorted(), "seed \(seed): out of order")
        }
        return simulation.counts
    }

    @Test(arguments: seeds(12)) func killsLoseNothingThatWasSpooled(seed: UInt64) throws {
        var weather = Simulation.Weather()
        weather.agentKill = 60
        weather.brokerRestart = 200
        weather.lostRequest = 30
        weather.lostAnswer = 30
        let counts = try ship(seed: seed, weather)
        #expect(counts.kills > 10)
    }

    @Test(arguments: seeds(12)) func powerCutsLoseNothingThatWasSynced(seed: UInt64) throws {
        var weather = Simulation.Weather()
        weather.agentKill = 200
        weather.powerCut = 100
        weather.lostAnswer = 30
        let counts = try ship(seed: seed, weather)
        #expect(counts.kills > 10)
    }
}
