// Command enums prints, as JSON, the fields of the Kubernetes API types whose value comes from a closed set:
// {"core.v1.Container": {"imagePullPolicy": ["Always", …]}}. A set is a string type marked +enum.
package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// pkg is one Go package of API types: the types marked +enum, the constants of each type, and each struct's fields.
type pkg struct {
	marked map[string]bool
	values map[string][]string
	fields map[string]map[string]string
}

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(root string) error {
	files, err := filepath.Glob(filepath.Join(root, "*", "*", "types*.go"))
	if err != nil {
		return err
	}
	pkgs := map[string]*pkg{}
	for _, path := range files {
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		name := strings.ReplaceAll(rel, string(filepath.Separator), ".")
		if pkgs[name] == nil {
			pkgs[name] = &pkg{map[string]bool{}, map[string][]string{}, map[string]map[string]string{}}
		}
		if err := pkgs[name].read(path); err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(resolve(pkgs))
}

func (p *pkg) read(path string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		return err
	}
	for _, decl := range file.Decls {
		general, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range general.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				p.readType(spec, general.Doc)
			case *ast.ValueSpec:
				p.readConst(spec)
			}
		}
	}
	return nil
}

func (p *pkg) readType(spec *ast.TypeSpec, doc *ast.CommentGroup) {
	if doc != nil {
		for _, comment := range doc.List {
			if strings.TrimSpace(strings.TrimPrefix(comment.Text, "//")) == "+enum" {
				p.marked[spec.Name.Name] = true
			}
		}
	}
	structure, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	fields := map[string]string{}
	for _, field := range structure.Fields.List {
		if field.Tag == nil {
			continue
		}
		tag, _ := strconv.Unquote(field.Tag.Value)
		name, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
		if name != "" && name != "-" {
			fields[name] = typeName(field.Type)
		}
	}
	p.fields[spec.Name.Name] = fields
}

// readConst takes both forms of a typed constant: `Exact PathType = "Exact"` and `Exact = PathType("Exact")`.
func (p *pkg) readConst(spec *ast.ValueSpec) {
	for _, value := range spec.Values {
		goType := spec.Type
		if call, ok := value.(*ast.CallExpr); ok && len(call.Args) == 1 {
			goType, value = call.Fun, call.Args[0]
		}
		ident, named := goType.(*ast.Ident)
		literal, isLiteral := value.(*ast.BasicLit)
		if !named || !isLiteral || literal.Kind != token.STRING {
			continue
		}
		if text, err := strconv.Unquote(literal.Value); err == nil {
			p.values[ident.Name] = append(p.values[ident.Name], text)
		}
	}
}

// typeName is the named type behind pointers and lists: `*v1.Protocol` gives `v1.Protocol`.
func typeName(expr ast.Expr) string {
	switch expr := expr.(type) {
	case *ast.Ident:
		return expr.Name
	case *ast.StarExpr:
		return typeName(expr.X)
	case *ast.ArrayType:
		return typeName(expr.Elt)
	case *ast.SelectorExpr:
		return "core.v1." + expr.Sel.Name
	}
	return ""
}

func resolve(pkgs map[string]*pkg) map[string]map[string][]string {
	result := map[string]map[string][]string{}
	for name, p := range pkgs {
		for structure, fields := range p.fields {
			for field, goType := range fields {
				owner, local := p, goType
				if core, ok := strings.CutPrefix(goType, "core.v1."); ok {
					owner, local = pkgs["core.v1"], core
				}
				if !owner.marked[local] {
					continue
				}
				key := name + "." + structure
				if result[key] == nil {
					result[key] = map[string][]string{}
				}
				slices.Sort(owner.values[local])
				result[key][field] = slices.Compact(owner.values[local])
			}
		}
	}
	return result
}
