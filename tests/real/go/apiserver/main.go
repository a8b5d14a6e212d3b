// Command apiserver is a whole kube-apiserver with its etcd in one process, linked from k8s.io/kubernetes and
// go.etcd.io/etcd, and the comparison of what it gave before with what it would have after.
//
//	apiserver serve DIR           runs until it is ended; DIR/kubeconfig is there once it answers
//	apiserver same BEFORE AFTER   exits with 1 if a field of an object of BEFORE is another, or gone, in AFTER
package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// token lets the caller do everything. The server listens on the loopback alone, and lives for one check.
const token = "of-a-check"

// patience is how long etcd, and then the API server, may take to answer.
const patience = 2 * time.Minute

func main() {
	var err error
	switch {
	case len(os.Args) == 3 && os.Args[1] == "serve":
		err = serve(os.Args[2])
	case len(os.Args) == 4 && os.Args[1] == "same":
		err = same(os.Args[2], os.Args[3])
	default:
		err = fmt.Errorf("usage: apiserver serve DIR | apiserver same BEFORE AFTER")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// freePort is a port of the loopback that nothing listens on.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// serve runs etcd and the API server in dir, as K3s starts the latter where it matters to what it takes.
func serve(dir string) error {
	etcd, err := startEtcd(filepath.Join(dir, "etcd"))
	if err != nil {
		return err
	}
	key := filepath.Join(dir, "accounts.key")
	if err := writeKey(key); err != nil {
		return err
	}
	tokens := filepath.Join(dir, "tokens.csv")
	if err := os.WriteFile(tokens, []byte(token+",check,check,system:masters\n"), 0o600); err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	go announce(dir, fmt.Sprintf("https://127.0.0.1:%d", port))
	command := app.NewAPIServerCommand()
	command.SetArgs([]string{
		"--etcd-servers=" + etcd,
		"--cert-dir=" + filepath.Join(dir, "certs"),
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", port),
		"--service-cluster-ip-range=10.43.0.0/16",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + key,
		"--service-account-signing-key-file=" + key,
		"--token-auth-file=" + tokens,
		"--authorization-mode=RBAC",
		"--allow-privileged=true",
		// No controller makes the accounts of namespaces here, and a Pod would wait for one.
		"--disable-admission-plugins=ServiceAccount",
	})
	return command.ExecuteContext(context.Background())
}

// startEtcd gives the address of an etcd that keeps its data in dir.
func startEtcd(dir string) (string, error) {
	config := embed.NewConfig()
	config.Dir = dir
	config.LogLevel = "error"
	config.UnsafeNoFsync = true
	addresses := make([]url.URL, 2)
	for i := range addresses {
		port, err := freePort()
		if err != nil {
			return "", err
		}
		addresses[i] = url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", port)}
	}
	config.ListenClientUrls, config.AdvertiseClientUrls = addresses[:1], addresses[:1]
	config.ListenPeerUrls, config.AdvertisePeerUrls = addresses[1:], addresses[1:]
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return "", err
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return addresses[0].String(), nil
	case <-time.After(patience):
		return "", fmt.Errorf("etcd does not answer")
	}
}

// writeKey makes the key by which the API server signs tokens of accounts.
func writeKey(path string) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	block := pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	return os.WriteFile(path, pem.EncodeToMemory(&block), 0o600)
}

// announce writes DIR/kubeconfig once the API server is ready.
func announce(dir, server string) {
	config := clientcmdapi.NewConfig()
	config.Clusters["check"] = &clientcmdapi.Cluster{Server: server, InsecureSkipTLSVerify: true}
	config.AuthInfos["check"] = &clientcmdapi.AuthInfo{Token: token}
	config.Contexts["check"] = &clientcmdapi.Context{Cluster: "check", AuthInfo: "check"}
	config.CurrentContext = "check"
	client, err := rest.HTTPClientFor(&rest.Config{
		BearerToken:     token,
		TLSClientConfig: rest.TLSClientConfig{Insecure: true},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for start := time.Now(); time.Since(start) < patience; time.Sleep(200 * time.Millisecond) {
		answer, err := client.Get(server + "/readyz")
		if err != nil {
			continue
		}
		answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			if err := clientcmd.WriteToFile(*config, filepath.Join(dir, "kubeconfig")); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			return
		}
	}
	fmt.Fprintln(os.Stderr, "the API server does not answer")
	os.Exit(1)
}
