import AgentCommands

@main
struct Entry {
    static func main() async { await MillraceAgent.main() }
}
