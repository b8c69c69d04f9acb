import Base
import KafkaClient
import TestKit
import Testing

@testable import Agent

#if canImport(Glibc)
    import Glibc
#endif

/// A seed whose run is printed: `SHIPPING_TRACE=19 swift test --filter ExactlyOnce`.
let tracedSeed = number("SHIPPING_TRACE")

/// More seeds than usual: `SHIPPING_SEEDS=500`.
func seeds(_ count: UInt64) -> [UInt64] {
    tracedSeed.map { [$0] } ?? Array(1...(number("SHIPPING_SEEDS") ?? count))
}

private func number(_ variable: String) -> UInt64? { getenv(variable).flatMap { UInt64(String(cString: $0)) } }

@Suite struct ExactlyOnce {
    private func simulate(
        seed: UInt64, _ weather: Simulation.Weather, _ body: (Simulation, SimulatedAgent) throws -> Void
    ) throws {
        let simulation = Simulation(seed: seed, weather: weather)
        let agent = SimulatedAgent(
            SimulatedSources("h", sources: 3), linesMax: 1500, durability: weather.durability)
        simulation.add(agent)
        simulation.isTracing = tracedSeed == seed
        defer { for line in simulation.trace { print(line) } }
        try #require(simulation.run(storm: .seconds(60)), "seed \(seed): not everything was shipped within an hour")
        try body(simulation, agent)
    }

    /// How often each line stands in the broker's logs.
    private func tally(_ simulation: Simulation) -> [String: Int] {
        simulation.broker.lines.values.joined().reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }

    private func expectEach(
        once simulation: Simulation, _ agent: SimulatedAgent, seed: UInt64, ordered: Bool = true,
        ambiguous: Int = 0
    ) {
        let tally = tally(simulation)
        let wanted = agent.sources.allLines
        let lost = wanted.filter { tally[$0] == nil }
        let twice = tally.filter { $0.value > 1 }
        for (partition, log) in simulation.broker.partitions {
            for stored in log.log where stored.lines.contains(where: { twice[$0] != nil }) {
                simulation.say(
                    "twice: \(partition) \(stored.offset) \(stored.batch.producerID)/\(stored.batch.producerEpoch) "
                        + "#\(stored.batch.baseSequence)+\(stored.batch.recordCount): \(stored.lines.first!)")
            }
        }
        #expect(lost.isEmpty, "seed \(seed): lost \(lost.count): \(lost.sorted().prefix(3))")
        #expect(
            twice.values.reduce(0) { $0 + $1 - 1 } <= ambiguous,
            "seed \(seed): twice \(twice.count): \(twice.keys.sorted().prefix(3))")
        #expect(tally.count == wanted.count || !lost.isEmpty)
        if ordered { expectOrder(simulation, seed: seed) }
    }

    private func expectOrder(_ simulation: Simulation, seed: UInt64) {
        for (partition, lines) in simulation.broker.lines {
            var last: [Substring: Int] = [:]
            for line in lines {
                let parts = line.split(separator: "#")
                let index = Int(parts[1].prefix { $0.isNumber })!
                if index <= last[parts[0], default: -1] {
                    Issue.record("seed \(seed): \(partition) has \(line) after #\(last[parts[0]]!)")
                    return
                }
                last[parts[0]] = index
            }
        }
    }

    @Test(arguments: seeds(12))
    func throughKillsRestartsAndALossyNetwork(seed: UInt64) throws {
        let weather = Simulation.Weather(
            agentKill: 150, powerCut: 400, brokerRestart: 400, lostRequest: 60, lostAnswer: 60, repeatedAnswer: 20)
        try simulate(seed: seed, weather) { simulation, agent in
            expectEach(once: simulation, agent, seed: seed)
            #expect(simulation.counts.ambiguous == 0 && simulation.counts.stale == 0, "seed \(seed)")
            #expect(simulation.counts.acknowledgedLost == 0 && simulation.counts.unreadable == 0, "seed \(seed)")
        }
    }

    @Test(arguments: seeds(12))
    func throughBrokersThatForgetTheirProducers(seed: UInt64) throws {
        let weather = Simulation.Weather(
            agentKill: 200, powerCut: 500, brokerRestart: 600, forgetting: 300, lostRequest: 80, lostAnswer: 40,
            repeatedAnswer: 30)
        try simulate(seed: seed, weather) { simulation, agent in
            expectEach(once: simulation, agent, seed: seed)
            #expect(simulation.counts.ambiguous == 0 && simulation.counts.stale == 0, "seed \(seed)")
        }
    }

    @Test(arguments: seeds(12))
    func throughBrokersThatLoseTheirTail(seed: UInt64) throws {
        let weather = Simulation.Weather(
            agentKill: 300, brokerRestart: 800, forgetting: 800, tailLoss: 400, lostAnswer: 80, repeatedAnswer: 30)
        try simulate(seed: seed, weather) { simulation, agent in
            // The ring here holds all that is ever lost, so nothing is. Order is given up for what comes again, and what comes twice
            // is counted.
            expectEach(once: simulation, agent, seed: seed, ordered: false, ambiguous: simulation.counts.ambiguous)
        }
    }

    @Test(arguments: seeds(6))
    func throughKillsWithoutSyncing(seed: UInt64) throws {
        let weather = Simulation.Weather(
            agentKill: 150, brokerRestart: 400, lostRequest: 60, lostAnswer: 60, durability: .none)
        try simulate(seed: seed, weather) { simulation, agent in
            expectEach(once: simulation, agent, seed: seed)
        }
    }
}
