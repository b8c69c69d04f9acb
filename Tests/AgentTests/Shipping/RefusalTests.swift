import Base
import KafkaClient
import TestKit
import Testing

@testable import Agent

/// What a broker refuses for good, or from some topics only: the rest goes on.
@Suite struct RefusalTests {
    private func run(
        seed: UInt64, _ weather: Simulation.Weather, linesMax: Int = 1500, storm: Duration = .seconds(60),
        _ before: (Simulation) -> Void = { _ in }, afterStorm: (Simulation, SimulatedAgent) -> Void = { _, _ in }
    ) throws -> (Simulation, SimulatedAgent) {
        let simulation = Simulation(seed: seed, weather: weather)
        let agent = SimulatedAgent(SimulatedSources("h", sources: 3), linesMax: linesMax)
        simulation.add(agent)
        before(simulation)
        simulation.isTracing = tracedSeed == seed
        defer { for line in simulation.trace { print(line) } }
        let isDrained = simulation.run(storm: storm) { afterStorm(simulation, agent) }
        try #require(isDrained, "seed \(seed): not everything was shipped within an hour")
        return (simulation, agent)
    }

    private func delivered(_ simulation: Simulation) -> [String: Int] {
        simulation.broker.lines.values.joined().reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }

    @Test(arguments: seeds(8))
    func tooLargeBatchesAreDividedThroughKillsAndLostAnswers(seed: UInt64) throws {
        let weather = Simulation.Weather(
            agentKill: 150, powerCut: 400, brokerRestart: 400, lostRequest: 60, lostAnswer: 60, repeatedAnswer: 20,
            sizeChange: 50)
        let (simulation, agent) = try run(seed: seed, weather)
        let delivered = delivered(simulation)
        #expect(
            Set(delivered.keys) == agent.sources.allLines && delivered.values.allSatisfy { $0 == 1 }, "seed \(seed)")
        #expect(simulation.counts.divided > 0 && simulation.counts.setAside == 0, "seed \(seed)")
        #expect(simulation.counts.ambiguous == 0 && simulation.counts.stale == 0, "seed \(seed)")
    }

    @Test(arguments: seeds(8))
    func recordsThatAreNotValidStandAmongTheDeadLettersOnceAndAllOthersInTheLog(seed: UInt64) throws {
        let weather = Simulation.Weather(
            agentKill: 150, powerCut: 400, brokerRestart: 400, lostRequest: 60, lostAnswer: 60, repeatedAnswer: 20,
            sizeChange: 300, validation: true)
        let (simulation, agent) = try run(seed: seed, weather)
        let delivered = delivered(simulation)
        let poison = agent.sources.allLines.filter(ModelBroker.isPoison)
        let dead = try agent.deadLetters()
        #expect(
            poison.count > 20 && Set(dead) == poison && dead.count == poison.count, "seed \(seed): \(dead.sorted())")
        #expect(
            Set(delivered.keys) == agent.sources.allLines.subtracting(poison)
                && delivered.values.allSatisfy { $0 == 1 }, "seed \(seed)")
        #expect(simulation.counts.ambiguous == 0 && simulation.counts.stale == 0, "seed \(seed)")
    }

    @Test(arguments: seeds(2))
    func aTopicThatTakesNothingKeepsNoOtherFromFlowing(seed: UInt64) throws {
        let weather = Simulation.Weather(agentKill: seed % 2 == 0 ? 2000 : 0, lostAnswer: 200)
        let (simulation, agent) = try run(seed: seed, weather, linesMax: 40_000, storm: .seconds(150)) {
            $0.broker.forbidden = ["b"]
        } afterStorm: { simulation, agent in
            let lines = simulation.broker.lines.filter { $0.key.topic == "a" }.values.reduce(0) { $0 + $1.count }
            let written = agent.sources.written[0] + agent.sources.written[2]
            let pending = agent.pendingBytes
            // Each start takes what is there before it has seen that others flow: in so small a log that is much.
            let isCalm = weather.agentKill == 0
            let least = isCalm ? written - 500 : written * 4 / 5
            #expect(written > 25_000 && lines > least, "seed \(seed): \(lines) of \(written); \(agent.summary)")
            #expect(
                pending > 200 << 10 && pending < (isCalm ? 400 : 900) << 10, "seed \(seed): \(pending) bytes of b wait")
        }
        let delivered = delivered(simulation)
        #expect(
            Set(delivered.keys) == agent.sources.allLines && delivered.values.allSatisfy { $0 == 1 }, "seed \(seed)")
    }

    @Test func aTopicThatIsNotThereKeepsNoOtherFromFlowing() throws {
        let (simulation, agent) = try run(seed: 1, Simulation.Weather(agentKill: 1000), storm: .seconds(20)) {
            $0.broker.unknown = ["b"]
        } afterStorm: { simulation, agent in
            let written = agent.sources.written[0] + agent.sources.written[2]
            let lines = simulation.broker.lines.values.reduce(0) { $0 + $1.count }
            #expect(written > 1000 && lines > written - 200, "\(lines) of \(written)")
            #expect(!simulation.broker.partitions.keys.contains { $0.topic == "b" })
        }
        let delivered = delivered(simulation)
        #expect(Set(delivered.keys) == agent.sources.allLines && delivered.values.allSatisfy { $0 == 1 })
    }

    @Test(arguments: seeds(4))
    func permissionsComeAndGo(seed: UInt64) throws {
        let weather = Simulation.Weather(
            agentKill: 300, powerCut: 800, brokerRestart: 400, lostAnswer: 60, sizeChange: 200, permissionChange: 500)
        let (simulation, agent) = try run(seed: seed, weather, linesMax: 8000)
        let delivered = delivered(simulation)
        #expect(
            Set(delivered.keys) == agent.sources.allLines && delivered.values.allSatisfy { $0 == 1 }, "seed \(seed)")
    }

    @Test(arguments: seeds(8))
    func aSourceKeepsItsOrderWhenItsTopicGetsMorePartitions(seed: UInt64) throws {
        let weather = Simulation.Weather(
            agentKill: 300, powerCut: 800, brokerRestart: 400, lostRequest: 60, lostAnswer: 60, growth: 400)
        let (simulation, agent) = try run(seed: seed, weather)
        #expect(Set(delivered(simulation).keys) == agent.sources.allLines)
        let appended = simulation.broker.partitions.values.flatMap(\.log).sorted { $0.order < $1.order }
        var last: [Substring: Int] = [:]
        var partitions: [Substring: Set<TopicPartition>] = [:]
        for (partition, state) in simulation.broker.partitions {
            for line in state.log.flatMap(\.lines) {
                partitions[line.prefix { $0 != "#" }, default: []].insert(partition)
            }
        }
        for line in appended.flatMap(\.lines) where !line.hasPrefix("h/\(agent.sources.journal)#") {
            let source = line.prefix { $0 != "#" }
            let index = Int(line.dropFirst(source.count + 1).prefix { $0.isNumber })!
            #expect(index > last[source, default: -1], "seed \(seed): \(line) after \(last[source]!)")
            last[source] = index
        }
        #expect(partitions.values.contains { $0.count > 1 }, "seed \(seed): nothing moved")
    }
}
