import Base
import ExportTestKit
import Exports
import TestKit
import Testing

@Suite struct CommitRecordTests {
    @Test func isTwoLinesOfJSON() throws {
        let record = Fixture.record(42, .commit, 0, 10, lastCommit: 40, files: [Fixture.file])
        let text = String(decoding: record.encoded(), as: UTF8.self)
        #expect(
            text.hasPrefix(
                #"{"millrace":"export-commit","version":1,"kind":"commit","pipeline":"nginx-to-jsonl","table":"nginx","#
                    + #""topic":"nginx.access","topic_id":"ASNFZ4mrTe-BI0VniavN7w","partition":3,"index":42,"#),
            "\(text)")
        #expect(text.hasSuffix("\"}\n"))
        #expect(try CommitRecord(encoded: record.encoded()) == record)
        for kind in [CommitRecord.Kind.takeover, .gap] {
            let record = Fixture.record(0, kind, 5, 5)
            #expect(try CommitRecord(encoded: record.encoded()) == record)
        }
    }

    @Test func aFileMayNameItsUpload() throws {
        var file = Fixture.file
        file.upload = CommitRecord.Upload(id: "VXBsb2FkIElE", etags: ["\"a54357aff0632cce46d942af\"", "\"x-2\""])
        let record = Fixture.record(1, .commit, 0, 10, files: [file, Fixture.file])
        #expect(try CommitRecord(encoded: record.encoded()) == record)
    }

    @Test func aChangedOrCutRecordIsRefused() throws {
        let bytes = Fixture.record(1, .commit, 0, 10, lastCommit: 0, files: [Fixture.file]).encoded()
        for count in 0..<(bytes.count - 1) {
            #expect(throws: CommitRecordError.self) { try CommitRecord(encoded: Array(bytes.prefix(count))) }
        }
        for place in bytes.indices.dropLast() {
            var changed = bytes
            changed[place] ^= 1
            #expect(throws: CommitRecordError.self, "byte \(place)") { try CommitRecord(encoded: changed) }
        }
    }

    @Test func theChainsRules() {
        let first = Fixture.record(0, .takeover, 5, 5)
        let commit = Fixture.record(1, .commit, 5, 9)
        #expect(CommitChain.problem(nil, first) == nil)
        #expect(CommitChain.problem(first, commit) == nil)
        #expect(CommitChain.problem(commit, Fixture.record(2, .gap, 9, 20, by: Fixture.other, lastCommit: 1)) == nil)
        #expect(
            CommitChain.problem(commit, Fixture.record(2, .takeover, 9, 9, by: Fixture.other, lastCommit: 1)) == nil)
        #expect(CommitChain.problem(nil, Fixture.record(0, .commit, 0, 5)) != nil)
        #expect(CommitChain.problem(first, Fixture.record(2, .commit, 5, 9)) != nil)
        #expect(CommitChain.problem(first, Fixture.record(1, .commit, 6, 9)) != nil)
        #expect(CommitChain.problem(first, Fixture.record(1, .commit, 5, 9, by: Fixture.other)) != nil)
        #expect(CommitChain.problem(commit, Fixture.record(2, .commit, 9, 10)) != nil)
        #expect(CommitChain.problem(commit, Fixture.record(2, .takeover, 9, 10, lastCommit: 1)) != nil)
    }

    @Test func layoutNames() {
        let layout = TableLayout()
        #expect(layout.folder(layout.key(Timestamp(milliseconds: 1_795_323_601_007))) == "dt=2026-11-22/hour=05")
        #expect(layout.folder(layout.key(Timestamp(milliseconds: -2))) == "dt=1969-12-31/hour=23")
        let unknown = "dt=__HIVE_DEFAULT_PARTITION__/hour=__HIVE_DEFAULT_PARTITION__"
        for time in [nil, Timestamp.none, Timestamp(milliseconds: .max), Timestamp(milliseconds: .min)] {
            #expect(layout.folder(layout.key(time)) == unknown)
        }
        let days = TableLayout(columns: [.dt])
        #expect(days.folder(days.key(Timestamp(milliseconds: 1_795_323_601_007))) == "dt=2026-11-22")
        #expect(TableLayout(columns: []).folder(TableLayout(columns: []).key(nil)) == "")
        #expect(
            TableLayout.fileName(Fixture.chain, from: Offset(0), to: Offset(512), number: 1, fileExtension: "json.gz")
                == "part-nginx.access-ASNFZ4mr-p00003-00000000000000000000-00000000000000000512-1.json.gz")
        for name in ["", "_x", ".x", "a/b", "a b", "é"] { #expect(!TableLayout.isName(name)) }
        #expect(TableLayout.isName("nginx_access-2.0"))
    }
}
