import Testing

@testable import Agent

@Suite struct EntryNumbersTests {
    private var numbers = EntryNumbers()

    private mutating func see(_ number: UInt64, of sequence: String = "a") -> UInt64 {
        numbers.skipped(before: JournalCursor("s=\(sequence);i=\(String(number, radix: 16))"))
    }

    @Test mutating func aMissingNumberIsAMissingEntry() {
        #expect(see(7) == 0)
        #expect(see(8) == 0)
        #expect(see(11) == 2)
        #expect(see(12) == 0)
    }

    @Test mutating func sequencesAreCountedApart() {
        #expect(see(7) == 0)
        #expect(see(900, of: "b") == 0)
        #expect(see(8) == 0)
        #expect(see(902, of: "b") == 1)
    }

    @Test mutating func aNumberFarAheadIsBelievedOnceTheNextConfirmsIt() {
        #expect(see(7) == 0)
        #expect(see(1 << 61) == 0)
        #expect(see(8) == 0)
        #expect(see(50_000) == 0)
        #expect(see(50_001) == 49_991)
        #expect(see(50_002) == 0)
    }

    @Test mutating func aSmallerNumberIsDamagedAndChangesNothing() {
        #expect(see(7) == 0)
        #expect(see(3) == 0)
        #expect(see(8) == 0)
    }

    @Test mutating func afterALookForTheNextEntryNothingIsMissing() {
        #expect(see(7) == 0)
        numbers.forget()
        #expect(see(90) == 0)
        #expect(see(91) == 0)
    }
}
