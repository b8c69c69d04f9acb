import Base
import Telemetry
import Testing

@testable import Agent

@Suite struct TheAgentsCondition {
    private func at(_ seconds: Int64) -> Instant { .zero + .seconds(seconds) }

    @Test func isReadyWhileLinesFlowOrNothingWaits() {
        let condition = AgentCondition(now: at(0))
        condition.turned(pending: 0, isStalled: false, now: at(10_000))
        #expect(condition.flows(now: at(20_000)), "a quiet agent lives")
        #expect(condition.status(troubles: [], now: at(20_000)) == .ready)
        condition.turned(pending: 3, isStalled: false, now: at(20_000))
        #expect(condition.status(troubles: [], now: at(20_060)) == .ready)
        condition.acknowledged(now: at(20_060))
        #expect(condition.status(troubles: [], now: at(20_120)) == .ready)
    }

    @Test func tellsWhatWaitsForAnAcknowledgement() {
        let condition = AgentCondition(now: at(0))
        condition.turned(pending: 0, isStalled: false, now: at(100))
        condition.turned(pending: 3, isStalled: false, now: at(100))
        condition.lastError = "the broker refuses"
        #expect(
            condition.status(troubles: [], now: at(161))
                == .notReady("nothing was acknowledged for 61 s while 3 batches wait: the broker refuses"))
        #expect(
            condition.status(troubles: ["broker a:1: refused"], now: at(161))
                == .notReady("nothing was acknowledged for 61 s while 3 batches wait: broker a:1: refused"))
    }

    @Test func starvesTheWatchdogOnlyWhereNothingIsHeard() {
        let condition = AgentCondition(now: at(0))
        condition.turned(pending: 0, isStalled: false, now: at(0))
        condition.turned(pending: 1, isStalled: false, now: at(0))
        // A broker that is away answers too: with the reason why it can't be reached.
        for second in stride(from: Int64(30), through: 3600, by: 30) {
            condition.answered(now: at(second))
            #expect(condition.flows(now: at(second + 29)))
        }
        #expect(condition.flows(now: at(3600 + 300)))
        #expect(!condition.flows(now: at(3600 + 301)), "the process itself hangs: a new one helps")
    }

    @Test func namesSourcesThatCanNotBeReadUntilTheyCan() {
        let condition = AgentCondition(now: at(0))
        let source = "web-1/var/log/app.log"
        condition.told(.trouble(source: source, detail: "permission denied"))
        #expect(
            condition.status(troubles: [], now: at(1))
                == .notReady("1 sources can't be read, such as web-1/var/log/app.log: permission denied"))
        condition.told(.recovered(source: source))
        #expect(condition.status(troubles: [], now: at(1)) == .ready)
        condition.turned(pending: 2, isStalled: true, now: at(1))
        #expect(
            condition.status(troubles: [], now: at(1))
                == .notReady("the intent log is full: 2 batches wait for the broker"))
    }
}
