// Command yaml11 prints the arguments that K3s makes of a config.yaml, one a line, quoted as Go quotes them.
//
//	yaml11 CONFIG
//
// K3s reads its config.yaml with gopkg.in/yaml.v2, whose YAML is 1.1: `0644` is 420 and `no` is false. It makes
// `--key=value` of every scalar, and one of every item of a list (pkg/configfilearg/parser.go), with fmt.Sprint and
// the blanks around it cut off (rancher/wrangler, convert.ToString).
//
// It is an error where a value would reach K3s as something else than what stands in the file for everybody to read
// (0644 as 420), and where sigs.k8s.io/yaml, which kubectl uses, reads another value.
package main

import (
	"fmt"
	"os"
	"strings"

	yamlv2 "gopkg.in/yaml.v2"
	yamlv3 "gopkg.in/yaml.v3"
	"sigs.k8s.io/yaml"
)

func main() {
	if len(os.Args) != 2 {
		fail("usage: yaml11 CONFIG")
	}
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		fail(err)
	}
	var config yamlv2.MapSlice
	if err := yamlv2.UnmarshalStrict(text, &config); err != nil {
		fail(err)
	}
	var other map[string]any
	if err := yaml.UnmarshalStrict(text, &other); err != nil {
		fail("as kubectl reads it: ", err)
	}
	written, err := literals(text)
	if err != nil {
		fail(err)
	}
	var args []string
	for _, entry := range config {
		key := scalar(entry.Key)
		prefix := "--"
		if len(key) == 1 {
			prefix = "-"
		}
		if !same(entry.Value, other[key]) {
			fail(fmt.Sprintf("%s is %#v to K3s and %#v to kubectl", key, entry.Value, other[key]))
		}
		items, ok := entry.Value.([]any)
		if !ok {
			items = []any{entry.Value}
		}
		for index, item := range items {
			if item == nil {
				fail(key + " is null: K3s takes that for an empty text")
			}
			if text := written[key][index]; scalar(item) != text {
				fail(fmt.Sprintf("%s: %q is %q to K3s", key, text, scalar(item)))
			}
			args = append(args, prefix+key+"="+scalar(item))
		}
	}
	for _, arg := range args {
		fmt.Printf("%q\n", arg)
	}
}

// literals are the scalar or the items that stand in the file behind each key, whatever they would be taken for.
func literals(text []byte) (map[string][]string, error) {
	var nodes map[string]yamlv3.Node
	if err := yamlv3.Unmarshal(text, &nodes); err != nil {
		return nil, err
	}
	found := map[string][]string{}
	for key, node := range nodes {
		items := []*yamlv3.Node{&node}
		if node.Kind == yamlv3.SequenceNode {
			items = node.Content
		}
		for _, item := range items {
			if item.Kind != yamlv3.ScalarNode {
				return nil, fmt.Errorf("line %d: neither a scalar nor a list of them", item.Line)
			}
			found[key] = append(found[key], item.Value)
		}
	}
	return found, nil
}

// scalar is what K3s makes of a scalar.
func scalar(value any) string {
	if value == nil {
		return ""
	}
	return strings.TrimSpace(fmt.Sprint(value))
}

// same compares what the two libraries read. JSON, in between for the second one, has one kind of number.
func same(one, other any) bool {
	if list, ok := one.([]any); ok {
		others, ok := other.([]any)
		if !ok || len(list) != len(others) {
			return false
		}
		for index := range list {
			if !same(list[index], others[index]) {
				return false
			}
		}
		return true
	}
	_, oneIsText := one.(string)
	_, otherIsText := other.(string)
	return oneIsText == otherIsText && fmt.Sprint(one) == fmt.Sprint(other)
}

func fail(why ...any) {
	fmt.Fprintln(os.Stderr, why...)
	os.Exit(1)
}
