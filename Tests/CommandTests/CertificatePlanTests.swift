import MillraceCLI
import Testing

@Suite struct CertificatePlanTests {
    private func plan(_ hosts: [String], renews: Bool = false, existing: Set<String> = []) -> CertificatePlan {
        CertificatePlan(hosts: hosts.compactMap { CertificatePlan.Host($0) }, days: 30, renews: renews) {
            existing.contains($0)
        }
    }

    @Test func aCAIsMadeOnceAndACertificateForEachHost() {
        let first = plan(["agg.example,10.0.0.5,::1", "web-1"])
        #expect(first.steps.map { $0.arguments[0] } == ["req", "req", "x509", "req", "x509"])
        #expect(first.steps.flatMap(\.makes).contains("ca.key"))
        #expect(first.steps[1].arguments.contains("subjectAltName=DNS:agg.example,IP:10.0.0.5,IP:::1"))
        let second = plan(["agg.example", "web-2"], existing: ["ca.pem", "agg.example.pem"])
        #expect(second.steps.flatMap(\.makes) == ["web-2.key.new", "web-2.pem.new"])
        #expect(plan(["agg.example"], existing: ["ca.pem", "agg.example.pem"]).steps.isEmpty)
        #expect(plan(["agg.example"], renews: true, existing: ["ca.pem", "agg.example.pem"]).steps.count == 2)
    }

    @Test(arguments: ["", "a,", "-x", "../x", "a/b", "a b", "ca", ".x", "a\nb"])
    func whatIsNoHostIsRefused(text: String) { #expect(CertificatePlan.Host(text) == nil) }
}
