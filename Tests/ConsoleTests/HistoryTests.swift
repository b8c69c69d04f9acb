import Base
import Testing

@testable import Console

@Suite struct HistoryTests {
    private func time(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: seconds * 1_000) }

    @Test func aRecordsAgeLiesBetweenTheLooksThatSawItCome() {
        var history = EndHistory()
        history.endSeen(100, now: time(10))
        history.endSeen(200, now: time(20))
        history.endSeen(200, now: time(30))
        #expect(history.age(of: 200, now: time(30)) == 0)
        #expect(history.age(of: 500, now: time(30)) == 0)
        #expect(history.age(of: 150, now: time(30)) == 15)
        #expect(history.age(of: 100, now: time(30)) == 20)
        // Older than the history: at least as old as its first look.
        #expect(history.age(of: 3, now: time(30)) == 20)
    }

    @Test func aRingKeepsTheNewest() {
        var ring = Ring<Int>(countMax: 8)
        for number in 0..<1_000 {
            ring.append(number)
            #expect(ring.elements.count <= 10)
        }
        #expect(Array(ring.last) == Array(992..<1_000))
    }

    @Test func aTailSendsSoManyInASecondAndCountsTheOthers() {
        var budget = TailBudget(rowsPerSecond: 2)
        let start = Instant(nanoseconds: 5_000_000_000)
        let taken = (0..<5).map { _ in budget.take(now: start) }
        #expect(taken == [true, true, false, false, false])
        let leftOut = [budget.takeLeftOut(), budget.takeLeftOut()]
        #expect(leftOut == [3, nil])
        let isTaken = budget.take(now: start + .seconds(1))
        #expect(isTaken)
    }
}
