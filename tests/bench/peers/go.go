// Go's net/http: a goroutine per URL.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

func isOK(client *http.Client, url string) string {
	request, _ := http.NewRequest("GET", url, nil)
	request.Header.Set("User-Agent", "sync-desert/peer-go")
	if answer, err := client.Do(request); err == nil {
		defer answer.Body.Close()
		if _, err := io.Copy(io.Discard, answer.Body); err == nil && answer.StatusCode == 200 {
			return "OK"
		}
	}
	return "Bad"
}

func main() {
	var all sync.WaitGroup
	client := &http.Client{Timeout: 30 * time.Second}
	for _, url := range os.Args[1:] {
		all.Add(1)
		go func(url string) { defer all.Done(); fmt.Println(url, isOK(client, url)) }(url)
	}
	all.Wait()
}
