// Prints, as JSON, the facts of the pinned kustomize modules that src/lib/kustomize needs as tables: the field
// specifications of the built-in transformers, the merge keys of the Kubernetes kinds and which kinds are cluster-scoped.
package main

import (
	"encoding/json"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	gotypes "go/types"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"sort"
	"strings"

	"k8s.io/kube-openapi/pkg/validation/spec"
	_ "sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/openapi"
	"sigs.k8s.io/kustomize/kyaml/resid"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/yaml"
)

// backReference is a kind and the fields that name objects of it.
type backReference struct {
	resid.Gvk `json:",inline"`
	Referrers types.FsSlice `json:"fieldSpecs,omitempty"`
}

type backReferences []backReference

func (s backReferences) Len() int           { return len(s) }
func (s backReferences) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s backReferences) Less(i, j int) bool { return s[i].Gvk.IsLessThan(s[j].Gvk) }

type config struct {
	NamePrefix        types.FsSlice  `json:"namePrefix"`
	NameSuffix        types.FsSlice  `json:"nameSuffix"`
	Namespace         types.FsSlice  `json:"namespace"`
	CommonLabels      types.FsSlice  `json:"commonLabels"`
	Labels            types.FsSlice  `json:"labels"`
	TemplateLabels    types.FsSlice  `json:"templateLabels"`
	CommonAnnotations types.FsSlice  `json:"commonAnnotations"`
	NameReference     backReferences `json:"nameReference"`
	VarReference      types.FsSlice  `json:"varReference"`
	Images            types.FsSlice  `json:"images"`
	Replicas          types.FsSlice  `json:"replicas"`
}

func main() {
	definitions := openapi.Schema().Definitions
	out := map[string]any{
		"config": defaultConfig(),
		"scopes": scopes(definitions),
	}
	out["definitions"], out["types"] = mergeSchema(definitions)
	encoder := json.NewEncoder(os.Stdout)
	if err := encoder.Encode(out); err != nil {
		log.Fatal(err)
	}
}

// defaultConfig reads the YAML that upstream keeps in string constants, and sorts it as upstream does.
func defaultConfig() config {
	folder := filepath.Join(moduleFolder("sigs.k8s.io/kustomize/api"), "internal/konfig/builtinpluginconsts")
	files := token.NewFileSet()
	packages, err := parser.ParseDir(files, folder, func(info fs.FileInfo) bool {
		return !strings.HasSuffix(info.Name(), "_test.go")
	}, 0)
	if err != nil {
		log.Fatal(err)
	}
	var sources []*ast.File
	for _, file := range packages["builtinpluginconsts"].Files {
		sources = append(sources, file)
	}
	checker := gotypes.Config{Importer: importer.ForCompiler(files, "source", nil)}
	checked, err := checker.Check("builtinpluginconsts", files, sources, nil)
	if err != nil {
		log.Fatal(err)
	}
	var texts []string
	for _, name := range checked.Scope().Names() {
		value, ok := checked.Scope().Lookup(name).(*gotypes.Const)
		// The label fields have no key of their own: other constants end with them.
		if ok && strings.HasSuffix(name, "FieldSpecs") && name != "metadataLabelsFieldSpecs" {
			texts = append(texts, constant.StringVal(value.Val()))
		}
	}
	var result config
	if err := yaml.UnmarshalStrict([]byte(strings.Join(texts, "\n")), &result); err != nil {
		log.Fatal(err)
	}
	for _, slice := range []sort.Interface{
		result.NamePrefix, result.NameSuffix, result.Namespace, result.CommonLabels, result.Labels,
		result.TemplateLabels, result.CommonAnnotations, result.NameReference, result.VarReference,
		result.Images, result.Replicas,
	} {
		sort.Sort(slice)
	}
	return result
}

func moduleFolder(module string) string {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		log.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// scopes tells for every served kind whether its objects have a namespace.
func scopes(definitions spec.Definitions) map[string]bool {
	result := map[string]bool{}
	for _, definition := range definitions {
		for _, kind := range kindsOf(definition) {
			if namespaced, found := openapi.IsNamespaceScoped(kind); found {
				result[kind.APIVersion+"/"+kind.Kind] = namespaced
			}
		}
	}
	// Kinds that are known without a definition.
	for _, apiVersion := range []string{"v1", "policy/v1beta1", "extensions/v1beta1"} {
		for _, kind := range []string{
			"NodeProxyOptions", "PodAttachOptions", "PodExecOptions", "PodPortForwardOptions", "PodProxyOptions",
			"ServiceProxyOptions", "PodSecurityPolicy", "Ingress", "ComponentStatus",
		} {
			if namespaced, found := openapi.IsNamespaceScoped(kyaml.TypeMeta{APIVersion: apiVersion, Kind: kind}); found {
				result[apiVersion+"/"+kind] = namespaced
			}
		}
	}
	return result
}

func kindsOf(definition spec.Schema) []kyaml.TypeMeta {
	var result []kyaml.TypeMeta
	list, _ := definition.Extensions["x-kubernetes-group-version-kind"].([]any)
	for _, entry := range list {
		fields := entry.(map[string]any)
		apiVersion := fields["version"].(string)
		if group, _ := fields["group"].(string); group != "" {
			apiVersion = group + "/" + apiVersion
		}
		result = append(result, kyaml.TypeMeta{APIVersion: apiVersion, Kind: fields["kind"].(string)})
	}
	return result
}

// member is what a merge needs to know of one field: the definition of its value, its elements or its members, and the
// merge keys when it is a list to be merged.
type member struct {
	Ref  string   `json:"ref,omitempty"`
	Keys []string `json:"keys,omitempty"`
	Kind string   `json:"kind"`
}

// mergeSchema reduces the definitions to the fields that lead to lists with a merge strategy.
func mergeSchema(definitions spec.Definitions) (map[string]map[string]member, map[string]string) {
	needed := map[string]map[string]member{}
	for grown := true; grown; {
		grown = false
		for name, definition := range definitions {
			fields := map[string]member{}
			for field, schema := range definition.Properties {
				if m, ok := memberOf(schema, needed); ok {
					fields[field] = m
				}
			}
			// A list may have been found before the definition of its elements.
			if len(fields) > 0 && !reflect.DeepEqual(fields, needed[name]) {
				needed[name] = fields
				grown = true
			}
		}
	}
	kinds := map[string]string{}
	for name, definition := range definitions {
		for _, kind := range kindsOf(definition) {
			kinds[kind.APIVersion+"/"+kind.Kind] = name
		}
	}
	return needed, kinds
}

func memberOf(schema spec.Schema, needed map[string]map[string]member) (member, bool) {
	strategy, _ := schema.Extensions["x-kubernetes-patch-strategy"].(string)
	isMerged := false
	for _, part := range strings.Split(strategy, ",") {
		isMerged = isMerged || part == "merge"
	}
	if len(schema.Type) == 1 && schema.Type[0] == "array" {
		if !isMerged {
			return member{}, false
		}
		m := member{Kind: "list", Keys: keysOf(schema)}
		if schema.Items != nil && schema.Items.Schema != nil {
			m.Ref = neededRef(schema.Items.Schema, needed)
		}
		return m, true
	}
	if ref := neededRef(&schema, needed); ref != "" {
		return member{Kind: "object", Ref: ref}, true
	}
	if schema.AdditionalProperties != nil && schema.AdditionalProperties.Schema != nil {
		if ref := neededRef(schema.AdditionalProperties.Schema, needed); ref != "" {
			return member{Kind: "map", Ref: ref}, true
		}
	}
	return member{}, false
}

func keysOf(schema spec.Schema) []string {
	if list, ok := schema.Extensions["x-kubernetes-list-map-keys"].([]any); ok {
		var keys []string
		for _, key := range list {
			keys = append(keys, key.(string))
		}
		return keys
	}
	if key, ok := schema.Extensions["x-kubernetes-patch-merge-key"].(string); ok {
		return []string{key}
	}
	return nil
}

func neededRef(schema *spec.Schema, needed map[string]map[string]member) string {
	name := strings.TrimPrefix(schema.Ref.String(), "#/definitions/")
	if _, ok := needed[name]; ok {
		return name
	}
	return ""
}
