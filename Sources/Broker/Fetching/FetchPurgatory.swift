import Base

/// Fetches that wait: each is parked on the partitions it reads until enough bytes have become visible there, or until its time is up.
///
/// A machine: every call returns the waiters that leave; who parked them reads again and, where it is still too early, parks anew.
/// The count of bytes is an estimate that only saves vain attempts; a waiter never stays past its deadline.
struct FetchPurgatory<Partition: Hashable, Waiter> {
    typealias Ticket = UInt64

    fileprivate struct Entry {
        let waiter: Waiter
        let partitions: [Partition]
        var bytesMissing: Int
    }

    private let waitersMax: Int
    private var lastTicket: Ticket = 0
    private var entries: [Ticket: Entry] = [:]
    private var ticketsByPartition: [Partition: Set<Ticket>] = [:]
    /// Sorted; tickets that left earlier are skipped when they come up.
    private var deadlines: [(deadline: Instant, ticket: Ticket)] = []
    private var firstDeadline = 0

    init(waitersMax: Int = 10_000) { self.waitersMax = waitersMax }

    var waiterCount: Int { entries.count }

    /// Parks until `bytesMissing` more bytes are visible in all the partitions together. Nil where the purgatory is full: the fetch
    /// has to be answered with what there is.
    mutating func park(_ waiter: Waiter, on partitions: [Partition], bytesMissing: Int, deadline: Instant) -> Ticket? {
        guard entries.count < waitersMax else { return nil }
        lastTicket += 1
        entries[lastTicket] = Entry(waiter: waiter, partitions: partitions, bytesMissing: max(1, bytesMissing))
        for partition in partitions { ticketsByPartition[partition, default: []].insert(lastTicket) }
        insertDeadline(deadline, lastTicket)
        return lastTicket
    }

    /// `bytes` more became visible in the partition.
    mutating func advanced(_ partition: Partition, bytes: Int) -> [Waiter] {
        guard let tickets = ticketsByPartition[partition] else { return [] }
        var leaving: [Ticket] = []
        for ticket in tickets {
            entries[ticket]!.bytesMissing -= bytes
            if entries[ticket]!.bytesMissing <= 0 { leaving.append(ticket) }
        }
        return leave(leaving)
    }

    /// The partition went away or changed hands: everyone who waits for it has to hear that.
    mutating func interrupted(_ partition: Partition) -> [Waiter] {
        leave(Array(ticketsByPartition[partition] ?? []))
    }

    /// The waiters whose time is up.
    mutating func tick(now: Instant) -> [Waiter] {
        var leaving: [Ticket] = []
        while firstDeadline < deadlines.count, deadlines[firstDeadline].deadline <= now {
            if entries[deadlines[firstDeadline].ticket] != nil { leaving.append(deadlines[firstDeadline].ticket) }
            firstDeadline += 1
        }
        dropPassedDeadlines()
        return leave(leaving)
    }

    /// The waiter, unless it has left already.
    mutating func cancel(_ ticket: Ticket) -> Waiter? { leave([ticket]).first }

    mutating func cancelAll() -> [Waiter] { leave(Array(entries.keys)) }

    /// When `tick` has work next.
    var nextDeadline: Instant? {
        deadlines[firstDeadline...].first { entries[$0.ticket] != nil }?.deadline
    }

    private mutating func leave(_ tickets: [Ticket]) -> [Waiter] {
        var waiters: [Waiter] = []
        for ticket in tickets.sorted() {
            guard let entry = entries.removeValue(forKey: ticket) else { continue }
            for partition in entry.partitions {
                ticketsByPartition[partition]?.remove(ticket)
                if ticketsByPartition[partition]?.isEmpty == true { ticketsByPartition[partition] = nil }
            }
            waiters.append(entry.waiter)
        }
        return waiters
    }

    private mutating func insertDeadline(_ deadline: Instant, _ ticket: Ticket) {
        // Most fetches wait equally long, so the new one mostly stands last.
        var low = firstDeadline
        var high = deadlines.count
        if let last = deadlines.last, last.deadline <= deadline { low = high }
        while low < high {
            let middle = (low + high) / 2
            if deadlines[middle].deadline <= deadline { low = middle + 1 } else { high = middle }
        }
        deadlines.insert((deadline, ticket), at: low)
        // Busy partitions answer long before the deadline: without this the passed tickets would pile up until then.
        if deadlines.count > 2 * entries.count + 64 {
            deadlines = deadlines[firstDeadline...].filter { entries[$0.ticket] != nil }
            firstDeadline = 0
        }
    }

    private mutating func dropPassedDeadlines() {
        guard firstDeadline > 64, firstDeadline > deadlines.count / 2 else { return }
        deadlines.removeFirst(firstDeadline)
        firstDeadline = 0
    }
}

extension FetchPurgatory: Sendable where Partition: Sendable, Waiter: Sendable {}
extension FetchPurgatory.Entry: Sendable where Partition: Sendable, Waiter: Sendable {}
