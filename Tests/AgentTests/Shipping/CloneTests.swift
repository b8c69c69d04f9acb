import Base
import KafkaClient
import TestKit
import Testing

@testable import Agent

/// A reused sequence is a silent loss: whoever ships with state that is not its own, or not its newest, must notice.
@Suite struct Clones {
    private let weather = Simulation.Weather(
        agentKill: 600, brokerRestart: 800, lostRequest: 200, lostAnswer: 100, repeatedAnswer: 50)

    private func expectNothingLost(_ simulation: Simulation, seed: UInt64) {
        let shipped = Set(simulation.broker.lines.values.joined())
        for agent in simulation.agents {
            let lost = agent.sources.allLines.subtracting(shipped)
            #expect(lost.isEmpty, "seed \(seed): \(agent.sources.name) lost \(lost.count): \(lost.sorted().prefix(3))")
        }
    }

    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func aRestoredBackupLosesNothingAndIsNoticed(seed: UInt64) throws {
        let simulation = Simulation(seed: seed, weather: weather)
        let agent = SimulatedAgent(SimulatedSources("h", sources: 3), linesMax: 1500)
        simulation.add(agent)
        simulation.after(.seconds(5)) {
            let backup = try! agent.state()
            simulation.after(.seconds(10)) {
                agent.kill(simulation)
                try! agent.restore(backup)
            }
        }
        try #require(simulation.run(storm: .seconds(40)), "seed \(seed)")
        expectNothingLost(simulation, seed: seed)
        #expect(simulation.counts.stale > 0, "seed \(seed): nobody noticed")
    }

    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func aCloneOnAnotherMachineLosesNothing(seed: UInt64) throws {
        let simulation = Simulation(seed: seed, weather: weather)
        simulation.add(SimulatedAgent(SimulatedSources("h", sources: 3), linesMax: 1500))
        clone(simulation, machineID: "other")
        try #require(simulation.run(storm: .seconds(40)), "seed \(seed)")
        expectNothingLost(simulation, seed: seed)
    }

    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func aCloneThatCannotBeToldByItsMachineLosesNothing(seed: UInt64) throws {
        let simulation = Simulation(seed: seed, weather: weather)
        simulation.add(SimulatedAgent(SimulatedSources("h", sources: 3), linesMax: 1500))
        clone(simulation, machineID: "m")
        try #require(simulation.run(storm: .seconds(40)), "seed \(seed)")
        expectNothingLost(simulation, seed: seed)
        #expect(simulation.counts.stale > 0, "seed \(seed): nobody noticed")
    }

    @Test func anotherClusterGetsWhatIsPendingUnderANewIdentity() throws {
        let simulation = Simulation(seed: 7, weather: Simulation.Weather())
        let agent = SimulatedAgent(SimulatedSources("h", sources: 2), linesMax: 300)
        simulation.add(agent)
        simulation.after(.seconds(3)) {
            // The agent is pointed at a cluster that has nothing of its past.
            agent.kill(simulation)
            agent.binding.clusterID = "another"
            simulation.moveToAnotherCluster()
        }
        try #require(simulation.run(storm: .seconds(20)))
        let shipped = Set(simulation.broker.lines.values.joined() + simulation.formerLines)
        #expect(agent.sources.allLines.subtracting(shipped).isEmpty)
        #expect(simulation.broker.lines.values.joined().count == Set(simulation.broker.lines.values.joined()).count)
    }

    private func clone(_ simulation: Simulation, machineID: String) {
        let original = simulation.agents[0]
        simulation.after(.seconds(5)) {
            let copy = SimulatedAgent(original.sources.copy(named: "g"), linesMax: original.linesMax)
            copy.binding.machineID = machineID
            try! copy.restore(try! original.state())
            simulation.add(copy)
        }
    }
}
