import Base
import BrokerTestKit
import TestKit
import Testing

@testable import KafkaClient

@Suite struct ClientTroublesTests {
    private let log = RecordedLog()
    private let time = ManualTime()
    private let group = ClientTroubles.Subject.group("g")

    private func make() -> ClientTroubles { ClientTroubles(telemetry: log.telemetry, time: time) }

    @Test func newsIsSaidAndRepetitionIsCounted() {
        let troubles = make()
        troubles.worked(group)
        for number in 0..<50 { troubles.failed(group, form: "refused", reason: "refused, port \(number)") }
        troubles.failed(group, form: "timed out", reason: "timed out")
        // Going back and forth between two forms is no news either.
        for _ in 0..<50 {
            troubles.failed(group, form: "refused", reason: "refused, port 9")
            troubles.failed(group, form: "timed out", reason: "timed out")
        }
        #expect(
            log.lines == [
                "warning: group g: refused, port 0; it is tried again",
                "warning: group g: timed out; it is tried again",
            ])
        #expect(log.metrics.counter("millrace_client_failures_total", [("of", "group")]).value == 151)
        troubles.worked(group)
        troubles.worked(group)
        #expect(log.lines.dropFirst(2) == ["info: group g: works again after 151 failed tries"])
        troubles.failed(group, form: "refused", reason: "refused")
        #expect(log.lines.count == 4)
    }

    /// However inventive the other side is.
    @Test func formsAndSubjectsAreLimited() {
        let troubles = make()
        for number in 0..<100 { troubles.failed(group, form: "form \(number)", reason: "form \(number)") }
        #expect(log.lines.count == 8)
        for number in 0..<2 * ClientTroubles.subjectsMax {
            troubles.failed(.broker("10.0.0.1:\(number)"), form: "refused", reason: "refused")
        }
        #expect(troubles.lines.count == ClientTroubles.subjectsMax)
        #expect(log.metrics.counter("millrace_client_failures_total", [("of", "broker")]).value == 2000)
    }

    @Test func whatIsNotTriedAnyMoreIsNoTroubleAnyMore() {
        let troubles = make()
        troubles.failed(.broker("10.0.0.1:9092"), form: "refused", reason: "refused")
        time.advance(by: .seconds(30))
        troubles.failed(group, form: "loading", reason: "loading")
        #expect(troubles.lines == ["broker 10.0.0.1:9092: refused", "group g: loading"])
        time.advance(by: .seconds(30))
        #expect(troubles.lines == ["group g: loading"])
        #expect(troubles.reason(group) == "loading")
        troubles.forget(group)
        #expect(troubles.lines.isEmpty && troubles.reason(group) == nil)
        #expect(log.lines.count == 2)
    }
}
