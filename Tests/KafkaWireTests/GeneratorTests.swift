import Testing
import WireSchema

@Suite struct GeneratorTests {
    @Test func generatedCodeIsCurrent() throws {
        let files = try Folder.files(below: Generator.inputFolder, root: Catalog.root)
        let changes = try Changes(wanted: Generator.generate(from: files), root: Catalog.root)
        #expect(changes.isEmpty, "run `swift run WireGenerator`: \(changes)")
    }

    @Test(arguments: [
        ("api A 1\n\nrequest 0\n    a: int32\n      b: int32", "5: indented by 6 spaces"),
        ("request 0\n    a: int32", "1: request before api"),
        ("data A 0\n    a: integer", "2: unknown type integer"),
        ("data A 0\n    a: Missing", "does not describe Missing"),
        ("data A 0\n    a int32", "2: expected: NAME: TYPE"),
        ("data A 0 flexible x", "1: flexible x is no version range"),
        ("data A 3-1", "1: expected versions"),
        ("data A 0\n    a: int32 optional", "2: unknown word optional"),
        ("data A 0\n    a: S\n        b: int8\n    c: S\n        b: int8", "describes S twice"),
        ("nothing A 0", "1: unknown kind of message nothing"),
    ])
    func mistakesAreNamedWithTheirLine(text: String, expected: String) {
        #expect {
            _ = try SchemaParser.parse(text, path: "Schemas/A.schema")
        } throws: { error in
            "\(error)".contains(expected)
        }
    }

    @Test func rangesAreReadAndCut() {
        #expect(VersionRange("3")?.contains(4) == false)
        #expect(VersionRange("3-5") == VersionRange(lower: 3, upper: 5))
        #expect(VersionRange("3+")?.contains(40) == true)
        #expect(VersionRange("") == nil && VersionRange("x+") == nil && VersionRange("1-2-3") == nil)
        #expect(VersionRange(lower: 0, upper: 2).intersection(VersionRange(lower: 4, upper: 9)).isEmpty)
    }
}
