// Command go-types prints, as JSON, how the Go types behind the built-in kinds are written: which fields each has, which of
// them appear even when empty, and what an empty one looks like. generate.ts turns it into src/ssa/goTypes.gen.ts.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
)

// Table names the type of each kind, and the fields of each type: the name of the field, "?" when it is left out when empty
// or "!" when it is not, and its type.
type Table struct {
	Kinds map[string]string            `json:"kinds"`
	Types map[string]map[string]string `json:"types"`
}

func main() {
	table := Table{Kinds: map[string]string{}, Types: map[string]map[string]string{}}
	for kind, goType := range scheme.Scheme.AllKnownTypes() {
		if _, ok := reflect.New(goType).Interface().(metav1.Object); !ok || kind.Version == "__internal" {
			continue
		}
		apiVersion, name := kind.ToAPIVersionAndKind()
		table.Kinds[apiVersion+"/"+name] = table.add(goType)
	}
	if err := json.NewEncoder(os.Stdout).Encode(table); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (t *Table) add(goType reflect.Type) string {
	path := strings.Split(goType.PkgPath(), "/")
	name := strings.Join(append(path[len(path)-2:], goType.Name()), ".")
	if t.Types[name] == nil {
		t.Types[name] = map[string]string{}
		t.addFields(goType, t.Types[name])
	}
	return name
}

func (t *Table) addFields(goType reflect.Type, fields map[string]string) {
	for field := range goType.Fields() {
		tag, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case tag == "-":
		case tag == "" && field.Anonymous:
			t.addFields(field.Type, fields)
		default:
			fields[tag] = mark(field.Type, options) + t.typeOf(field.Type)
		}
	}
}

// mark tells whether an empty value of the field is left out. omitempty never applies to a struct, omitzero to everything.
func mark(goType reflect.Type, options string) string {
	if strings.Contains(options, "omitzero") || (strings.Contains(options, "omitempty") && goType.Kind() != reflect.Struct) {
		return "?"
	}
	return "!"
}

// typeOf is "s", "i", "f" or "b" for text, integers, other numbers and booleans, "y" for bytes, "*", "[]" and "{}" in front
// of what a pointer, list or map holds, "@" and a name for a struct, and "=" and its empty form for a type that writes itself.
func (t *Table) typeOf(goType reflect.Type) string {
	if goType.Kind() == reflect.Pointer {
		return "*" + t.typeOf(goType.Elem())
	}
	if _, ok := reflect.New(goType).Interface().(json.Marshaler); ok {
		empty, err := json.Marshal(reflect.New(goType).Interface())
		if err != nil {
			empty = []byte("null")
		}
		return "=" + string(empty)
	}
	switch goType.Kind() {
	case reflect.String:
		return "s"
	case reflect.Bool:
		return "b"
	case reflect.Float32, reflect.Float64:
		return "f"
	case reflect.Slice:
		if goType.Elem().Kind() == reflect.Uint8 {
			return "y"
		}
		return "[]" + t.typeOf(goType.Elem())
	case reflect.Map:
		return "{}" + t.typeOf(goType.Elem())
	case reflect.Struct:
		return "@" + t.add(goType)
	default:
		return "i"
	}
}
