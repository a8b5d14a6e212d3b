package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
)

// ofServer are fields that the API server writes for itself, and that say nothing of what was applied.
var ofServer = []string{
	"metadata.annotations.kubectl.kubernetes.io/last-applied-configuration",
	"metadata.creationTimestamp",
	"metadata.generation",
	"metadata.managedFields",
	"metadata.resourceVersion",
	"metadata.uid",
	"status",
}

// same compares lists of objects, as `kubectl -o json` prints them.
func same(before, after string) error {
	was, err := objects(before)
	if err != nil {
		return err
	}
	is, err := objects(after)
	if err != nil {
		return err
	}
	if len(was) == 0 {
		return fmt.Errorf("%s has no objects", before)
	}
	differences := 0
	for _, name := range slices.Sorted(maps.Keys(was)) {
		object, ok := is[name]
		if !ok {
			differences++
			fmt.Printf("%s: it is gone\n", name)
			continue
		}
		for _, difference := range compare("", was[name], object) {
			differences++
			fmt.Printf("%s: %s\n", name, difference)
		}
	}
	if differences > 0 {
		return fmt.Errorf("%d differences in %d objects", differences, len(was))
	}
	fmt.Printf("%d objects are the same in every field\n", len(was))
	return nil
}

// objects reads lists and objects, one behind the other as kubectl prints them, and names each by group, kind, namespace and name.
func objects(path string) (map[string]any, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var all []any
	for decoder := json.NewDecoder(file); ; {
		var whole map[string]any
		if err := decoder.Decode(&whole); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if items, ok := whole["items"].([]any); ok {
			all = append(all, items...)
		} else {
			all = append(all, whole)
		}
	}
	found := map[string]any{}
	for _, object := range all {
		object, ok := object.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s: an item is no object", path)
		}
		metadata, _ := object["metadata"].(map[string]any)
		found[fmt.Sprint(object["apiVersion"], " ", object["kind"], " ", metadata["namespace"], "/", metadata["name"])] = object
	}
	return found, nil
}

// compare gives the paths at which the two differ, in either direction.
func compare(path string, was, is any) []string {
	if slices.Contains(ofServer, path) {
		return nil
	}
	below := func(key string) string {
		if path == "" {
			return key
		}
		return path + "." + key
	}
	switch was := was.(type) {
	case map[string]any:
		is, ok := is.(map[string]any)
		if !ok {
			break
		}
		keys := slices.Collect(maps.Keys(was))
		for key := range is {
			if _, ok := was[key]; !ok {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
		var all []string
		for _, key := range keys {
			all = append(all, compare(below(key), was[key], is[key])...)
		}
		return all
	case []any:
		is, ok := is.([]any)
		if !ok || len(is) != len(was) {
			break
		}
		var all []string
		for i := range was {
			all = append(all, compare(below(fmt.Sprint(i)), was[i], is[i])...)
		}
		return all
	}
	one, _ := json.Marshal(was)
	other, _ := json.Marshal(is)
	if string(one) == string(other) {
		return nil
	}
	// An empty mapping says as much as none, as with annotations that had one of kubectl alone.
	if isEmpty(was) && isEmpty(is) {
		return nil
	}
	return []string{fmt.Sprintf("%s was %s and is %s", path, one, other)}
}

func isEmpty(value any) bool {
	if value == nil {
		return true
	}
	mapping, ok := value.(map[string]any)
	return ok && (len(mapping) == 0 || len(mapping) == 1 && mapping["kubectl.kubernetes.io/last-applied-configuration"] != nil)
}
