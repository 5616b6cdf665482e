/// Every property, in the order of the table people see. A new one costs its file and its line here.
package enum PropertyRegistry {
    package static let all: [any Property.Type] = []
}
