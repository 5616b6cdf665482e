struct PlanParser {
    let text: String
    let file: String
    mutating func parse() throws(PlanErrors) -> Plan { Plan() }
}
