import Base
import MillraceCLI
import Settings
import Testing

/// `config schema` and `config print` watch the decoder; nothing is declared twice.
@Suite struct SchemaTests {
    /// A failure names keys that a decoder asks for and no specimen shows: add them to `AgentSettings+Specimens.swift`, `BrokerSettings+Specimens.swift` or
    /// `PipelineSettings+Specimens.swift`.
    @Test(arguments: ConfigKind.allCases) func specimensShowEveryKey(kind: ConfigKind) throws {
        #expect(try kind.schema().unexplained == [])
    }

    @Test(arguments: ConfigKind.allCases) func namesThatUsersChooseAreNoKeys(kind: ConfigKind) throws {
        let paths = try kind.schema().paths
        #expect(paths.count > 20)
        #expect(paths.filter { $0.contains("example") } == [])
    }

    @Test func aKeyThatNoSpecimenShowsIsFound() throws {
        let schema = try SettingsSchema(title: "t", specimens: ["{shown: {a: 1}}"]) { (node) throws(SettingsError) in
            var root = try node.mapping()
            var shown = try root.section("shown")
            _ = shown.node("a")
            _ = try shown.bool("b", default: true)
            _ = root.node("hidden")
        }
        #expect(schema.unexplained == ["shown.a", "hidden"])
        #expect(schema.paths == ["shown", "shown.a", "shown.b", "hidden"])
    }
}

@Suite struct SettingsPrinterTests {
    private func printed(_ text: String, effective: Bool = false, redacted: Bool = true) throws -> String {
        let file = try YAMLNode.parse(text, file: "f")
        let filled = try Interpolation(
            environment: ["ROOT": "/srv/export", "TOKEN": "s3cr3t"], fileSystem: PosixFileSystem()
        ).fill(file)
        let (node, trace) = filled.traced()
        try ConfigKind.pipeline.decode(node)
        return SettingsPrinter(isEffective: effective, isRedacted: redacted).text(of: trace)
    }

    private let pipeline = """
        to:
        - export: {table: t, root: '${env:ROOT}', partition_by: [dt]}
        from: {topics: t}
        pipeline: p
        """

    @Test func keysStandInTheDecodersOrderAndReferencesStayReferences() throws {
        #expect(
            try printed(pipeline) == """
                pipeline: p
                from:
                  topics: t
                to:
                  - export:
                      root: "${env:ROOT}"
                      table: t
                      partition_by: [dt]

                """)
    }

    @Test func whatIsPrintedUnredactedAndEffectiveIsTakenAgain() throws {
        let text = try printed(pipeline, effective: true, redacted: false)
        #expect(text.contains("\n      root: \"/srv/export\"\n"))
        #expect(text.contains("\n      open_files: 16  # default\n"))
        #expect(text.contains("\n        age: 1m  # default\n"))
        #expect(try printed(text, redacted: false).contains("open_files: 16"))
    }

    @Test(arguments: ["s3cr3t", "'x${env:TOKEN}'", "'${env:OTHER:-s3cr3t}'"])
    func aSecretIsNeverShown(token: String) throws {
        let text = try printed(
            "{pipeline: p, from: {topics: t}, to: [{export: {root: 'hdfs://n:1/a', table: t, hdfs: {token: \(token)}}}]}"
        )
        #expect(!text.contains("s3cr3t"))
        #expect(text.contains("token: '[redacted]'"))
    }

    @Test(arguments: [
        "webhook: {url: 'https://me:s3cr3t@h/in?a=b', headers: {Authorization: Bearer s3cr3t, x-api-key: s3cr3t}}",
        "elasticsearch: {url: 'http://h:9200', index: i, api_key: s3cr3t}",
        "postgres: {url: 'postgresql://me:s3cr3t@h/d', table: t}",
        "export: {root: 's3://bucket', table: t, s3: {access_key: s3cr3t, secret_key: s3cr3t, session_token: s3cr3t}}",
    ])
    func noSinksSecretIsShown(sink: String) throws {
        let text = try printed("{pipeline: p, from: {topics: t}, to: [{\(sink)}]}")
        #expect(!text.contains("s3cr3t") && text.contains("[redacted]"), "\(text)")
    }

    @Test func aKeyWithNothingBehindItStays() throws {
        let text = try printed(
            """
            pipeline: p
            from: {topics: t}
            steps: [{parse: {json: }}]
            to: [{file: {path: /a}}]
            tests: [{input: x, row: {a: null}}]
            """)
        #expect(text.contains("json: {}"))
        #expect(text.contains("a: null"))
    }

    @Test func dollarsAndOddTextsAreReadAgainAsTheyWere() throws {
        let odd = "$$ $${env:X} \" : # - é \\ \\u0001"
        let text =
            "{pipeline: p, from: {topics: \"\(odd.replacing("\"", with: "\\\"").replacing("\\ ", with: "\\\\ "))\"}, to: [{file: {path: /a}}]}"
        let once = try printed(text, redacted: false)
        #expect(try printed(once, redacted: false) == once)
    }
}
