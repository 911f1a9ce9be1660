// Command kustomization prints, as JSON, the fields and types of kustomization.yaml, read from kustomize's own Go types:
// {"Kustomization": {"resources": "[]string", …}, …}. The type expressions are those of kubernetes.ts.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
)

func main() {
	table := map[string]map[string]string{}
	describe(reflect.TypeFor[types.Kustomization](), table)
	if err := json.NewEncoder(os.Stdout).Encode(table); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func describe(structure reflect.Type, table map[string]map[string]string) {
	if table[structure.Name()] != nil {
		return
	}
	fields := map[string]string{}
	table[structure.Name()] = fields
	collect(structure, fields, table)
}

func collect(structure reflect.Type, fields map[string]string, table map[string]map[string]string) {
	for field := range structure.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case name == "-" || !field.IsExported() && !field.Anonymous:
		case name == "" && (field.Anonymous || strings.Contains(options, "inline")):
			collect(field.Type, fields, table)
		case name == "":
			fields[yamlName(field)] = expression(field.Type, table)
		default:
			fields[name] = expression(field.Type, table)
		}
	}
}

// yamlName is what a field without a json tag is called: the name in its yaml tag, else its own.
func yamlName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
	if name != "" {
		return name
	}
	return field.Name
}

func expression(goType reflect.Type, table map[string]map[string]string) string {
	switch goType.Kind() {
	case reflect.Pointer:
		return expression(goType.Elem(), table)
	case reflect.Slice:
		return "[]" + expression(goType.Elem(), table)
	case reflect.Map:
		return "{}" + expression(goType.Elem(), table)
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int64:
		return "integer"
	case reflect.Struct:
		describe(goType, table)
		return goType.Name()
	default:
		return "any"
	}
}
